"""Publishing, loading and refusing versions."""

import errno
import hashlib
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from app.core.artifact import ARRAYS, Artifact, digest_of
from app.core.catalogue import Catalogue
from app.core.errors import ArtifactError, PublishError, VersionNotFoundError
from app.core.files import write_atomically
from app.core.recommender import Recommender
from app.core.store import ModelStore
from tests.worlds import game, manifest, publish, six_games

FIRST, SECOND, THIRD = (f"2026010{day}T000000-00000{day}" for day in (1, 2, 3))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_what_was_published_answers_as_before(store: ModelStore):
    publish(store, FIRST)

    artifact = store.current() or pytest.fail("nothing is current")

    loaded = Recommender.from_arrays(artifact.arrays)
    for user_id in ("ann", "bob", "zoë/1", "nobody"):
        assert loaded.recommend(user_id, 6, explain=True) == six_games().recommend(user_id, 6, explain=True)
    assert loaded.similar(10) == six_games().similar(10)
    assert artifact.manifest.version == FIRST


def test_arrays_are_mapped_not_read(store: ModelStore):
    publish(store, FIRST)

    arrays = store.load(FIRST).arrays

    assert all(isinstance(array.base, np.memmap) for array in arrays.values())


def test_an_empty_model_can_be_published_too(store: ModelStore):
    arrays = {name: np.zeros(int(name.endswith(("offsets", "indptr"))), dtype) for name, dtype in ARRAYS.items()}
    store.publish(Artifact(manifest(FIRST), arrays))

    assert all(len(array) <= 1 for array in store.load(FIRST).arrays.values())


def test_before_the_first_there_is_nothing(store: ModelStore):
    assert (store.current(), store.current_version(), store.versions()) == (None, None, [])


def test_publishing_does_not_make_a_version_current(store: ModelStore):
    publish(store, FIRST)
    store.publish(Artifact(manifest(SECOND), six_games().to_arrays()))

    assert store.current_version() == FIRST
    assert store.versions() == [SECOND, FIRST]
    store.activate(SECOND)
    assert store.current_version() == SECOND


@pytest.mark.parametrize("version", [SECOND, "../models", "", "current"])
def test_what_is_not_published_cannot_be_loaded_or_made_current(store: ModelStore, version: str):
    publish(store, FIRST)

    for ask in (store.load, store.activate, store.manifest):
        with pytest.raises(VersionNotFoundError, match="There is no version"):
            ask(version)
    assert store.current_version() == FIRST


def test_pruning_keeps_the_newest_and_the_current(store: ModelStore):
    for version in (FIRST, SECOND, THIRD):
        publish(store, version)
    store.activate(FIRST)

    assert store.prune(1) == [SECOND]
    assert store.versions() == [THIRD, FIRST]


def test_a_failed_publication_leaves_nothing(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    arrays = {name: array for name, array in six_games().to_arrays().items() if name != "popular"}

    with pytest.raises(KeyError):
        store.publish(Artifact(manifest(SECOND), arrays))
    assert {path.name for path in (tmp_path / "models").iterdir()} == {FIRST, "current", ".lock"}


def test_what_a_killed_publication_left_is_removed_by_the_next(store: ModelStore, tmp_path: Path):
    left = tmp_path / "models" / f".publishing-{FIRST}"
    left.mkdir(parents=True)
    (tmp_path / "models" / ".current.abc.tmp").touch()

    publish(store, FIRST)

    assert {path.name for path in (tmp_path / "models").iterdir()} == {FIRST, "current", ".lock"}


def flip_a_bit(folder: Path) -> None:
    path = folder / "collaborative_weights.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def truncate(folder: Path) -> None:
    path = folder / "records_blob.npy"
    path.write_bytes(path.read_bytes()[:-10])


def change_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"simulated"', b'"observed"'))


def forge(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """Change the manifest and give it a digest that matches, as a program of another version would."""

    def damage(folder: Path) -> None:
        fields = orjson.loads((folder / "manifest.json").read_bytes())
        change(fields)
        fields["digest"] = digest_of(fields)
        (folder / "manifest.json").write_bytes(orjson.dumps(fields))

    return damage


def replace_array(name: str, array: np.ndarray) -> Callable[[Path], None]:
    """Put another array in place, with a digest that matches."""

    def damage(folder: Path) -> None:
        content = io.BytesIO()
        np.save(content, array, allow_pickle=True)
        replace_content(folder, name, content.getvalue())

    return damage


def replace_content(folder: Path, name: str, content: bytes) -> None:
    (folder / f"{name}.npy").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    forge(lambda fields: fields["sha256"].update({name: digest}))(folder)  # type: ignore[attr-defined]


def deep_manifest(folder: Path) -> None:
    """Nest the manifest deeper than JSON can be written."""
    (folder / "manifest.json").write_bytes(b'{"format_version": 1, "x": ' + b"[" * 500 + b"]" * 500 + b"}")


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def pickled_bomb(folder: Path) -> None:
    """Put a bare pickle in place of an array, with a digest that matches."""
    replace_content(folder, "popular", pickle.dumps(Bomb()))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip_a_bit, "collaborative_weights.npy of .* was altered"),
        (truncate, "records_blob.npy of .* was altered"),
        (change_manifest, "manifest of .* was altered"),
        (lambda folder: (folder / "popular.npy").unlink(), "popular.npy of .* cannot be read"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest of .* cannot be read"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{"), "manifest of .* cannot be read"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"[]"), "has format None"),
        (forge(lambda fields: fields.update(format_version=2)), "has format 2; this program reads format 1"),
        (forge(lambda fields: fields.pop("counts")), "lacks fields or has wrong ones"),
        (forge(lambda fields: fields.update(surprise=1)), "lacks fields or has wrong ones"),
        (replace_array("popular", np.arange(5, dtype="<i4")), "arrays of .* do not fit together"),
        (replace_array("popular", np.arange(1, 7, dtype="<i4")), "arrays of .* do not fit together"),
        (replace_array("collaborative_indices", np.array([1, 2, 2, -1], "<i4")), "arrays of .* do not fit together"),
        (replace_array("histories_weights", np.ones(8, "<f4")), "arrays of .* do not fit together"),
        (replace_array("content_indptr", np.array([0, 2, 2, 2, 2, 2], "<i8")), "arrays of .* do not fit together"),
        (replace_array("users_offsets", np.array([0, 3, 6, 8], "<i8")), "arrays of .* do not fit together"),
        (replace_array("users_offsets", np.array([0, 12], "<i8")), "arrays of .* do not fit together"),
        (replace_array("histories_indptr", np.array([0, 3, 2, 9], "<i8")), "arrays of .* do not fit together"),
        (replace_array("names_offsets", np.array([], "<i8")), "arrays of .* do not fit together"),
        (forge(lambda fields: fields.update(version="20260101T000000-999999")), "is that of 20260101T000000-999999"),
        (deep_manifest, "manifest of .* cannot be read"),
        (replace_array("popular", np.arange(6, dtype=">i4")), "does not hold a row of <i4"),
        (replace_array("popular", np.zeros((2, 3), dtype="<i4")), "does not hold a row of <i4"),
        (replace_array("popular", np.array([Bomb()], dtype=object)), "popular.npy of .* cannot be read"),
        (pickled_bomb, "popular.npy of .* cannot be read"),
    ],
)
def test_a_damaged_version_is_refused_and_runs_nothing(
    store: ModelStore, tmp_path: Path, damage: Callable[[Path], None], reason: str
):
    publish(store, FIRST)
    damage(tmp_path / "models" / FIRST)

    with pytest.raises(ArtifactError, match=reason):
        store.load(FIRST)
    assert not Path("exploded").exists()


def test_a_damaged_version_cannot_be_made_current(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    store.publish(Artifact(manifest(SECOND), six_games().to_arrays()))
    flip_a_bit(tmp_path / "models" / SECOND)

    with pytest.raises(ArtifactError):
        store.activate(SECOND)
    assert store.current_version() == FIRST


@pytest.mark.parametrize("pointer", [b"../../etc", b"\xff\xfe", b""])
def test_a_pointer_to_nowhere_is_refused(store: ModelStore, tmp_path: Path, pointer: bytes):
    publish(store, FIRST)
    (tmp_path / "models" / "current").write_bytes(pointer)

    with pytest.raises(ArtifactError, match="does not name one"):
        store.current()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path, link = tmp_path / "file", tmp_path / "link"
    write_atomically(path, b"old")
    link.hardlink_to(path)

    write_atomically(path, b"new")
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "file", b"x")

    assert (path.read_bytes(), link.read_bytes()) == (b"new", b"old")
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "link"}


def test_a_disk_that_fails_leaves_the_old_file_and_the_current_version(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    publish(store, FIRST)
    store.publish(Artifact(manifest(SECOND), six_games().to_arrays()))

    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        store.activate(SECOND)
    with pytest.raises(PublishError, match=f"{THIRD} could not be written to .*: Input/output error"):
        store.publish(Artifact(manifest(THIRD), six_games().to_arrays()))

    assert store.current_version() == FIRST
    assert {path.name for path in (tmp_path / "models").iterdir()} == {FIRST, SECOND, "current", ".lock"}


def test_everything_reaches_the_disk_before_its_name_does(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "models").mkdir()
    events: list[str] = []
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def watched_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        size = path.stat().st_size if path.is_file() else -1
        assert size != 0, f"{path} is flushed before it is written"
        events.append(f"fsync {path.name}")
        fsync(descriptor)

    def watched(name: str, move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def moved(self: Path, target: Path) -> Path:
            events.append(f"{name} {Path(target).name}")
            return move(self, target)

        return moved

    monkeypatch.setattr("os.fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched("rename", rename))
    monkeypatch.setattr(Path, "replace", watched("replace", replace))
    publish(store, FIRST)

    named = events.index(f"rename {FIRST}")
    flushed = {event.removeprefix("fsync ") for event in events[:named] if event.startswith("fsync")}
    assert {f"{name}.npy" for name in ARRAYS} | {"manifest.json", f".publishing-{FIRST}"} <= flushed
    assert events[named + 1] == "fsync models"
    assert [event.split(".")[0] for event in events[named + 2 :]] == ["fsync ", "replace current", "fsync models"]


def test_ids_and_counts_keep_all_their_bits(store: ModelStore):
    world = six_games()
    large = Catalogue.from_games(game(2**63 - 1 - number, added=2**40 + number) for number in range(6))
    store.publish(Artifact(manifest(FIRST), replace(world, catalogue=large).to_arrays()))

    loaded = Recommender.from_arrays(store.load(FIRST).arrays).catalogue

    assert loaded.game_ids.tolist() == large.game_ids.tolist()
    assert loaded.added.tolist() == large.added.tolist()
    assert loaded.index_of(2**63 - 1) == 5


def test_only_versions_are_listed(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    for name in ("notes", f".publishing-{SECOND}", "20260101T000000"):
        (tmp_path / "models" / name).mkdir()

    assert store.versions() == [FIRST]


PUBLISH_FOR_EVER = """
import itertools, sys
from pathlib import Path
from app.core.store import ModelStore
from tests.worlds import publish
store = ModelStore(Path(sys.argv[1]))
for number in itertools.count(1):
    publish(store, f"20260101T000000-{number:06}")
    store.prune(3)
    print(number, flush=True)
"""


def test_kill_9_at_any_moment_leaves_a_current_version_that_is_whole(store: ModelStore, tmp_path: Path):
    root = Path(__file__).parents[2]
    for attempt in range(5):
        shutil.rmtree(tmp_path / "models", ignore_errors=True)
        command = [sys.executable, "-c", PUBLISH_FOR_EVER, str(tmp_path / "models")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as publisher:
            assert publisher.stdout is not None
            assert publisher.stdout.readline() == b"1\n"
            time.sleep(0.02 + 0.013 * attempt)
            os.kill(publisher.pid, signal.SIGKILL)

        for version in store.versions():
            store.load(version)
        current = store.current() or pytest.fail("nothing is current")
        assert Recommender.from_arrays(current.arrays).recommend("ann", 1).games[0].game["game_id"] == 30
        publish(store, "20270101T000000-000000")
