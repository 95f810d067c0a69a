"""What training publishes: a manifest and arrays. Loading it checks everything and runs nothing."""

import hashlib
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from app.core.errors import ArtifactError
from app.core.files import write_atomically

FORMAT_VERSION = 3
MANIFEST = "manifest.json"

# Every array of the format: name -> element type (little-endian, whatever machine wrote it).
ARRAYS: Mapping[str, str] = {
    "game_ids": "<i8",
    "added": "<i8",
    "records_blob": "|u1",
    "records_offsets": "<i8",
    "cards_blob": "|u1",
    "cards_offsets": "<i8",
    "names_blob": "|u1",
    "names_offsets": "<i8",
    "trigram_keys": "<i8",
    "trigram_indptr": "<i8",
    "trigram_indices": "<i4",
    "released": "<i4",
    "rating": "<f4",
    "metacritic": "<i2",
    "age": "|i1",
    "genre_blob": "|u1",
    "genre_offsets": "<i8",
    "genre_indptr": "<i8",
    "genre_indices": "<i4",
    "platform_blob": "|u1",
    "platform_offsets": "<i8",
    "platform_indptr": "<i8",
    "platform_indices": "<i4",
    "tag_blob": "|u1",
    "tag_offsets": "<i8",
    "tag_indptr": "<i8",
    "tag_indices": "<i4",
    "by_name": "<i4",
    "by_released": "<i4",
    "by_rating": "<i4",
    "by_metacritic": "<i4",
    "by_added": "<i4",
    "vectors": "<f4",
    "popular": "<i4",
    "collaborative_indptr": "<i8",
    "collaborative_indices": "<i4",
    "collaborative_weights": "<f4",
    "content_indptr": "<i8",
    "content_indices": "<i4",
    "content_weights": "<f4",
    "cold_indptr": "<i8",
    "cold_indices": "<i4",
    "cold_weights": "<f4",
    "users_blob": "|u1",
    "users_offsets": "<i8",
    "histories_indptr": "<i8",
    "histories_indices": "<i4",
    "histories_weights": "<f4",
    "held_out_players": "<i4",
    "held_out_indptr": "<i8",
    "held_out_indices": "<i4",
}

# How the arrays fit together.
_MODELS = ("collaborative", "content", "cold")
_LABELS = ("genre", "platform", "tag")
_LISTS = (*_MODELS, *_LABELS, "trigram", "histories", "held_out")
_ORDERS = ("popular", "by_name", "by_released", "by_rating", "by_metacritic", "by_added")
_GAME_INDICES = (*_ORDERS, *(f"{name}_indices" for name in _LISTS))
_PER_GAME = ("added", "released", "rating", "metacritic", "age", *_ORDERS)
_PER_GAME_OFFSETS = ("records_offsets", "cards_offsets", "names_offsets", *(f"{name}_indptr" for name in _MODELS))
_OFFSETS: Mapping[str, str] = {
    **{f"{name}_offsets": f"{name}_blob" for name in ("records", "cards", "names", "users", *_LABELS)},
    **{f"{name}_indptr": f"{name}_indices" for name in _LISTS},
}

Arrays = Mapping[str, npt.NDArray[np.generic]]
Rest = Callable[[], None]

_PIECE = 512 * 1024  # bytes of a file that are digested without a rest


def no_rest() -> None:
    """Go on at once."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Frozen):
    """How much a model knows."""

    games: int
    players: int
    plays: int
    plays_left_out: int
    neighbours: int


class Manifest(_Frozen):
    """The description of one version.

    `sha256` maps each array's name to the digest of its file; `digest` is that of the manifest without this field.
    """

    format_version: int = FORMAT_VERSION
    version: str
    created_at: datetime
    git_commit: str | None
    data_kind: Literal["simulated", "observed"]
    catalogue_source: Literal["rawg", "starter"]
    data_fingerprint: str
    counts: Counts
    config: dict[str, JsonValue]
    metrics: dict[str, JsonValue]
    gate: dict[str, JsonValue]
    sha256: dict[str, str] = {}
    digest: str = ""

    @property
    def weights(self) -> dict[str, Any]:
        """Read the configuration of `PlayWeights`; empty where it is the default."""
        weights = self.config.get("weights")
        return weights if isinstance(weights, dict) else {}

    def to_json(self) -> bytes:
        """Write the manifest with its own digest in it."""
        fields = self.model_dump(mode="json")
        return orjson.dumps({**fields, "digest": digest_of(fields)}, option=orjson.OPT_INDENT_2)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read and check a version's manifest; `ArtifactError` where it is missing, altered or of another format."""
        try:
            fields = orjson.loads((folder / MANIFEST).read_bytes())
            fields = fields if isinstance(fields, dict) else {}
            digest = digest_of(fields)
        except (OSError, TypeError, orjson.JSONDecodeError) as unreadable:  # TypeError: nested too deep to write again
            raise ArtifactError(f"The manifest of {folder.name} cannot be read.") from unreadable
        found = fields.get("format_version")
        if found != FORMAT_VERSION:
            raise ArtifactError(f"{folder.name} has format {found}; this program reads format {FORMAT_VERSION}.")
        if fields.get("digest") != digest:
            raise ArtifactError(f"The manifest of {folder.name} was altered: its digest does not match.")
        try:
            manifest = cls.model_validate(fields)
        except ValidationError as invalid:
            raise ArtifactError(f"The manifest of {folder.name} lacks fields or has wrong ones.") from invalid
        if manifest.version != folder.name:
            raise ArtifactError(f"The manifest of {folder.name} is that of {manifest.version}.")
        return manifest


def digest_of(fields: Mapping[str, object]) -> str:
    """Digest a manifest's fields, all but the digest itself."""
    others = {name: value for name, value in fields.items() if name != "digest"}
    return hashlib.sha256(orjson.dumps(others, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, eq=False)
class Artifact:
    """A manifest and its arrays, by the names in `ARRAYS`."""

    manifest: Manifest
    arrays: Arrays

    def write(self, folder: Path) -> None:
        """Write one `.npy` file an array and the manifest with their digests into an existing folder."""
        digests = {}
        for name, dtype in ARRAYS.items():
            path = folder / f"{name}.npy"
            with path.open("wb") as file:
                array = np.ascontiguousarray(self.arrays[name], dtype=dtype)
                # np.save would hide the reason why a disk takes no more.
                np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
                file.write(array.data)
            digests[name] = _digest(path)
        sealed = self.manifest.model_copy(update={"sha256": digests})
        write_atomically(folder / MANIFEST, sealed.to_json())

    @classmethod
    def load(cls, folder: Path, rest: Rest = no_rest) -> "Artifact":
        """Check a version's format and digests, then map its arrays into memory.

        `rest` is called again and again on the way, for whoever has other work to let through. Raises `ArtifactError`
        where anything is missing, altered, or not as the format says.
        """
        manifest = Manifest.read(folder)
        arrays = {name: _load(folder, name, manifest, rest) for name in ARRAYS}
        if not _fit_together(arrays):
            raise ArtifactError(f"The arrays of {folder.name} do not fit together.")
        return cls(manifest, arrays)


def _load(folder: Path, name: str, manifest: Manifest, rest: Rest) -> npt.NDArray[np.generic]:
    path = folder / f"{name}.npy"
    try:
        if _digest(path, rest) != manifest.sha256.get(name):
            raise ArtifactError(f"{path.name} of {folder.name} was altered: its digest does not match.")
        return _mapped(path, np.dtype(ARRAYS[name]))
    except (OSError, ValueError) as unreadable:
        raise ArtifactError(
            f"{path.name} of {folder.name} cannot be read, or does not hold a row of {ARRAYS[name]}."
        ) from unreadable


def _mapped(path: Path, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """Map a `.npy` file's row into memory; `ValueError` where it holds anything else.

    Not by `np.load`, which takes other kinds of files too, nor as a `memmap`, whose every slice costs a Python call.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        shape, _, found = np.lib.format.read_array_header_1_0(file)
        if version != (1, 0) or found != dtype or len(shape) != 1:
            raise ValueError("another kind of array")
        if shape == (0,):
            return np.empty(0, dtype=dtype)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(content, dtype=dtype, count=shape[0], offset=file.tell())


def _fit_together(arrays: Mapping[str, Any]) -> bool:
    """Tell whether every offset and index points at something: digests prove arrays unaltered, not sound."""
    games = len(arrays["game_ids"])
    lengths = {name: len(array) for name, array in arrays.items()}
    return (
        all(_are_offsets(arrays[offsets], lengths[content]) for offsets, content in _OFFSETS.items())
        and all(_are_indices(arrays[name], games) for name in _GAME_INDICES)
        and all(lengths[name] == games for name in _PER_GAME)
        and all(lengths[name] == games + 1 for name in _PER_GAME_OFFSETS)
        and all(lengths[f"{name}_weights"] == lengths[f"{name}_indices"] for name in (*_MODELS, "histories"))
        and lengths["vectors"] % max(games, 1) == 0
        and all(lengths[f"{name}_offsets"] == lengths[f"{name}_indptr"] for name in _LABELS)
        and lengths["trigram_keys"] + 1 == lengths["trigram_indptr"]
        and lengths["users_offsets"] == lengths["histories_indptr"]
        and lengths["held_out_players"] + 1 == lengths["held_out_indptr"]
        and _are_indices(arrays["held_out_players"], lengths["users_offsets"] - 1)
    )


def _are_offsets(offsets: npt.NDArray[np.int64], end: int) -> bool:
    return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == end and bool((np.diff(offsets) >= 0).all())


def _are_indices(indices: npt.NDArray[np.int32], end: int) -> bool:
    return not len(indices) or (indices.min() >= 0 and indices.max() < end)


def _digest(path: Path, rest: Rest = no_rest) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            rest()
    return digest.hexdigest()
