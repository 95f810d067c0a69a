"""The Gram matrix of the plays, `X^T diag(w) X`: computed row by row where it is needed, and never held."""

from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from app.core.item_item import ItemItemModel
from training.estimators import kernels
from training.estimators.kernels import Sides
from training.estimators.lists import Lists, stack
from training.estimators.threads import on_all_cores

_AT_ONCE = 2**20  # plays

FloatArray = npt.NDArray[np.float64]


class Gram:
    """The Gram matrix of a user-item matrix (players x items), whose player u counts `plays(u) ** -player_discount`."""

    def __init__(self, sides: Sides, diagonal: FloatArray) -> None:
        self._sides = sides
        self._diagonal = diagonal
        self.plays = len(sides.item_players)
        self.average_play = float(diagonal.sum()) / max(self.plays, 1)

    @classmethod
    def of(cls, matrix: sp.csr_array, player_discount: float, longest_history: int) -> Self:
        """Lay out a matrix for the kernels; plays of weight 0 count nothing, nor do the weakest of an overlong history.

        Costs 12 bytes a play; the matrix itself serves as one side, unless it has something that does not count.
        """
        by_player = _counting(matrix, longest_history)
        by_item = sp.csr_array(by_player.T)
        lengths = np.diff(by_player.indptr)
        values = np.repeat((np.maximum(lengths, 1) ** -player_discount).astype(np.float32), lengths)
        values *= by_player.data
        sides = Sides(
            by_item.indptr.astype(np.int64),
            by_item.indices.astype(np.int32, copy=False),
            by_item.data,
            by_player.indptr.astype(np.int64),
            by_player.indices.astype(np.int32, copy=False),
            values,
        )
        return cls(sides, _diagonal(by_player, values))

    def __len__(self) -> int:
        """Count the items."""
        return len(self._diagonal)

    @property
    def popularity(self) -> FloatArray:
        """Tell how many average plays each item has, one at least."""
        return np.maximum(self._diagonal / (self.average_play or 1.0), 1.0)

    def nearest(self, k: int, shrinkage: float = 0.0) -> ItemItemModel:
        """List the `k` items most similar to each: by cosine, `shrinkage` being added to its denominator."""
        lengths = np.sqrt(self._diagonal).astype(np.float32)

        def of_some(start: int, stop: int) -> Lists:
            shape = (stop - start, min(k, len(self)))
            indices, values = np.empty(shape, np.int32), np.empty(shape, np.float32)
            found = kernels.nearest(self._sides, start, stop, lengths, shrinkage, indices, values)
            kept = np.arange(shape[1]) < found[:, None]
            return found, indices[kept], values[kept]

        return stack(on_all_cores(of_some, len(self)))

    def systems(self, sources: ItemItemModel, first: int, last: int) -> kernels.Systems:
        """Set up the normal equations that regress the items from `first` to `last` each on its `sources`."""
        indptr = sources.indptr[first : last + 1] - sources.indptr[first]
        items = sources.indices[sources.indptr[first] : sources.indptr[last]]
        sizes = np.diff(indptr)
        triangles = triangle(sizes)
        systems = kernels.Systems(
            indptr=indptr,
            items=items,
            offsets=np.cumsum(triangles) - triangles,
            matrices=np.empty(triangles.sum(), np.float32),
            sides=np.empty(len(items), np.float32),
        )
        system = np.arange(last - first)
        used = np.concatenate([items, np.arange(first, last)])
        uses = np.concatenate([np.repeat(system, sizes), system])
        places = np.concatenate([np.arange(len(items)) - np.repeat(indptr[:-1], sizes), np.full(len(system), -1)])
        order = np.argsort(used, kind="stable")
        uses, places = uses[order], places[order]
        rows, counts = np.unique(used, return_counts=True)
        uses_indptr = np.concatenate([[0], np.cumsum(counts)])

        def some(start: int, stop: int) -> None:
            kernels.fill(systems, self._sides, rows[start:stop], uses_indptr[start : stop + 1], uses, places)

        on_all_cores(some, len(rows))
        return systems


def triangle(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count the entries of the lower triangles of square matrices."""
    return sizes * (sizes + 1) // 2


def _among_the_strongest(by_player: sp.csr_array, longest: int) -> npt.NDArray[np.bool_]:
    """Mark each player's `longest` strongest plays; of equal ones the first."""
    strongest = np.ones(by_player.nnz, dtype=bool)
    for player in np.flatnonzero(np.diff(by_player.indptr) > longest):
        span = slice(by_player.indptr[player], by_player.indptr[player + 1])
        strongest[span][np.argsort(-by_player.data[span], kind="stable")[longest:]] = False
    return strongest


def _counting(matrix: sp.csr_array, longest: int) -> sp.csr_array:
    """Take the plays that count, each player and game once; the matrix itself, uncopied, where all do."""
    by_player = sp.csr_array(matrix, dtype=np.float32)
    if not by_player.has_canonical_format:
        by_player = by_player.copy()
        by_player.sum_duplicates()
    counts = _among_the_strongest(by_player, longest)
    counts &= by_player.data != 0
    if not counts.all():
        by_player = by_player.copy()
        by_player.data[~counts] = 0
        by_player.eliminate_zeros()
    return by_player


def _diagonal(by_player: sp.csr_array, values: npt.NDArray[np.float32]) -> FloatArray:
    """Add up `values * data` by item, in parts, as each play takes 16 bytes meanwhile."""
    diagonal = np.zeros(by_player.shape[1])
    for start in range(0, by_player.nnz, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        squares = values[part] * by_player.data[part].astype(np.float64)
        diagonal += np.bincount(by_player.indices[part], squares, minlength=len(diagonal))
    return diagonal
