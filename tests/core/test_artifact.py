"""What is loaded again as it was written, and what is refused."""

import hashlib
import io
import mmap
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from app.core.artifact import ARRAYS, Artifact, digest_of
from app.core.browsing import Listing, browse
from app.core.catalogue import Catalogue
from app.core.errors import ArtifactError
from app.core.filters import Filters
from app.core.orders import Sort
from app.core.recommender import Recommender
from app.core.store import ModelStore
from tests.worlds import artifact, asked, game, manifest, publish, six_games

FIRST, SECOND, THIRD = (f"2026010{day}T000000-00000{day}" for day in (1, 2, 3))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_what_was_published_answers_as_before(store: ModelStore):
    publish(store, FIRST)

    artifact = store.current() or pytest.fail("nothing is current")

    loaded = Recommender.from_arrays(artifact.arrays)
    for user_id in ("ann", "bob", "zoë/1", "nobody"):
        assert asked(loaded, user_id, 6, explain=True) == asked(six_games(), user_id, 6, explain=True)
    assert loaded.similar(10) == six_games().similar(10)
    assert artifact.manifest.version == FIRST
    assert loaded.vectors.tolist() == six_games().vectors.tolist()
    for sort in (Sort.NAME, Sort.RELEASED, Sort.RATING, Sort.METACRITIC, Sort.ADDED):
        listing = Listing("gmae", Filters(genres=("puzzle",), min_rating=4), sort, reverse=True)
        assert browse(loaded, listing, 6, 0) == browse(six_games(), listing, 6, 0)


def test_arrays_are_mapped_not_read(store: ModelStore):
    publish(store, FIRST)

    arrays = store.load(FIRST).arrays

    bases: list[Any] = [array.base for array in arrays.values() if len(array)]
    held = [base.obj for base in bases]
    assert held
    assert all(isinstance(one, mmap.mmap) for one in held)


def test_an_empty_model_can_be_published_too(store: ModelStore):
    arrays = {name: np.zeros(int(name.endswith(("offsets", "indptr"))), dtype) for name, dtype in ARRAYS.items()}
    store.publish(Artifact(manifest(FIRST), arrays))

    loaded = store.load(FIRST).arrays
    assert all(len(array) <= 1 for array in loaded.values())
    assert browse(Recommender.from_arrays(loaded), Listing("portal", Filters(genres=("RPG",))), 10, 0) == ([], 0)


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
    (folder / "manifest.json").write_bytes(b'{"format_version": 3, "x": ' + b"[" * 500 + b"]" * 500 + b"}")


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
        (forge(lambda fields: fields.update(format_version=1)), "has format 1; this program reads format 3"),
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
        (replace_array("cold_weights", np.ones(2, "<f4")), "arrays of .* do not fit together"),
        (replace_array("held_out_players", np.array([3], "<i4")), "arrays of .* do not fit together"),
        (replace_array("held_out_players", np.array([1, 2], "<i4")), "arrays of .* do not fit together"),
        (replace_array("held_out_indices", np.array([2, 6], "<i4")), "arrays of .* do not fit together"),
        (replace_array("released", np.zeros(5, "<i4")), "arrays of .* do not fit together"),
        (replace_array("by_name", np.array([0, 1, 2, 3, 4, 6], "<i4")), "arrays of .* do not fit together"),
        (replace_array("genre_indices", np.array([0, 1, 2, 3, 4, 6], "<i4")), "arrays of .* do not fit together"),
        (replace_array("tag_offsets", np.array([0, 0], "<i8")), "arrays of .* do not fit together"),
        (replace_array("trigram_keys", np.zeros(1, "<i8")), "arrays of .* do not fit together"),
        (replace_array("vectors", np.ones(7, "<f4")), "arrays of .* do not fit together"),
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


def test_ids_and_counts_keep_all_their_bits(store: ModelStore):
    world = six_games()
    large = Catalogue.from_games(game(2**63 - 1 - number, added=2**40 + number) for number in range(6))
    store.publish(Artifact(manifest(FIRST), {**artifact().arrays, **replace(world, catalogue=large).to_arrays()}))

    loaded = Recommender.from_arrays(store.load(FIRST).arrays).catalogue

    assert loaded.game_ids.tolist() == large.game_ids.tolist()
    assert loaded.added.tolist() == large.added.tolist()
    assert loaded.index_of(2**63 - 1) == 5
