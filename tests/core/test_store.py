"""Publishing, activating and pruning versions."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.artifact import ARRAYS, Artifact
from app.core.errors import ArtifactError, PublishError, StoreNotWritableError, VersionNotFoundError
from app.core.files import write_atomically
from app.core.recommender import Recommender
from app.core.store import ModelStore
from tests.worlds import artifact, asked, manifest, publish, six_games

FIRST, SECOND, THIRD = (f"2026010{day}T000000-00000{day}" for day in (1, 2, 3))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_before_the_first_there_is_nothing(store: ModelStore):
    assert (store.current(), store.current_version(), store.versions()) == (None, None, [])


def test_publishing_does_not_make_a_version_current(store: ModelStore):
    publish(store, FIRST)
    store.publish(artifact(SECOND))

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


def test_a_report_lies_beside_the_arrays(store: ModelStore, tmp_path: Path):
    store.publish(artifact(FIRST), {"report.md": b"# Model"})

    assert (tmp_path / "models" / FIRST / "report.md").read_bytes() == b"# Model"
    assert store.load(FIRST).manifest.version == FIRST


def test_a_failed_publication_leaves_nothing(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    arrays = {name: array for name, array in six_games().to_arrays().items() if name != "popular"}

    with pytest.raises(KeyError):
        store.publish(Artifact(manifest(SECOND), arrays))
    assert {path.name for path in (tmp_path / "models").iterdir()} == {FIRST, "current", ".lock"}


def test_what_a_killed_publication_left_is_removed_by_the_next(store: ModelStore, tmp_path: Path):
    left = tmp_path / "models" / f".aside-{FIRST}"
    left.mkdir(parents=True)
    (tmp_path / "models" / ".current.abc.tmp").touch()

    publish(store, FIRST)

    assert {path.name for path in (tmp_path / "models").iterdir()} == {FIRST, "current", ".lock"}


def test_a_damaged_version_cannot_be_made_current(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    store.publish(artifact(SECOND))
    (tmp_path / "models" / SECOND / "popular.npy").write_bytes(b"damaged")

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
    store.publish(artifact(SECOND))

    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(StoreNotWritableError, match="cannot be written to: Input/output error"):
        store.activate(SECOND)
    with pytest.raises(PublishError, match=f"{THIRD} could not be written to .*: Input/output error"):
        store.publish(artifact(THIRD))

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
    assert {f"{name}.npy" for name in ARRAYS} | {"manifest.json", f".aside-{FIRST}"} <= flushed
    assert events[named + 1] == "fsync models"
    assert [event.split(".")[0] for event in events[named + 2 :]] == ["fsync ", "replace current", "fsync models"]


def test_only_versions_are_listed(store: ModelStore, tmp_path: Path):
    publish(store, FIRST)
    for name in ("notes", f".aside-{SECOND}", "20260101T000000"):
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
        assert asked(Recommender.from_arrays(current.arrays), "ann", 1).games[0].game["game_id"] == 30
        publish(store, "20270101T000000-000000")


def test_a_version_can_be_read_to_its_end_though_it_is_pruned(store: ModelStore):
    publish(store, FIRST)
    with store.opened(FIRST) as files:
        for version in (SECOND, THIRD):
            publish(store, version)
        assert store.prune(keep=1) == [FIRST]
        assert b'"format_version"' in files["manifest.json"].read()
    with pytest.raises(VersionNotFoundError), store.opened(FIRST):
        pass
