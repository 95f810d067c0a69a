"""Item-based collaborative filtering by ridge regressions: each item on the items that are most similar to it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from app.core.errors import TrainingError
from app.core.item_item import ItemItemModel
from training.estimators import kernels
from training.estimators.gram import Gram, triangle
from training.estimators.lists import by_source
from training.estimators.threads import on_all_cores

# Bytes of systems that are solved together. For each such block the rows of the Gram matrix that it uses are computed
# anew: many plays make them dear, and more memory worth its while.
_MEMORY_PER_PLAY = 320
_MEMORY = (64 * 2**20, 512 * 2**20)  # at least, at most


@dataclass(frozen=True)
class NeighbourRidgeConfig:
    """The numbers that shape the model; they are free of units, so that one default fits all data.

    Each item is regressed on `sources` others. A source's penalty is `l2 * sqrt(d)`, d being its plays in units of an
    average play. A target's weights are divided by its `d ** popularity_discount`: a popular game needs no help. A
    player with n plays counts `n ** -player_discount` a play, and only the `longest_history` strongest plays count.
    """

    sources: int = 200
    l2: float = 20.0
    player_discount: float = 0.5
    popularity_discount: float = 0.1
    longest_history: int = 2000


def fit(matrix: sp.csr_array, config: NeighbourRidgeConfig | None = None) -> ItemItemModel:
    """Learn how strongly each game speaks for others from a user-item matrix (players x games, weights >= 0).

    EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data") regresses each item on all others, at the
    cost of inverting an items x items matrix. Here each has a system of its own, of the items most similar to it by
    cosine, as SLIM's variant with feature selection has (Ning and Karypis 2011); so the cost is linear in the items.
    Weights below 0 are dropped: they say no more (measured), and no game can speak against another in an explanation.

    Raises `TrainingError` where a penalty is too small to solve a system. Memory: 12 bytes a play, the neighbour lists,
    and 64 to 512 MB for the systems that are solved together.
    """
    config = config or NeighbourRidgeConfig()
    gram = Gram.of(matrix, config.player_discount, config.longest_history)
    sources = gram.nearest(config.sources)
    penalties = config.l2 * gram.average_play * np.sqrt(gram.popularity)
    blocks = _blocks(sources, int(np.clip(_MEMORY_PER_PLAY * gram.plays, *_MEMORY)))
    with threadpool_limits(1):  # the systems are small: a core each, not all cores on one
        solved = [_regress(gram, sources, first, last, penalties) for first, last in blocks]
    weights = np.concatenate([np.zeros(0), *solved])
    weights /= np.repeat(gram.popularity**config.popularity_discount, np.diff(sources.indptr))
    targets = np.repeat(np.arange(len(sources)), np.diff(sources.indptr))
    kept = weights > 0
    return by_source(sources.indices[kept], targets[kept], weights[kept].astype(np.float32), len(sources))


def _blocks(sources: ItemItemModel, memory: int) -> Iterator[tuple[int, int]]:
    """Cut the items into ranges whose systems together fit into the memory (bytes)."""
    sizes = np.diff(sources.indptr)
    ends = np.cumsum(4 * triangle(sizes) + 48 * sizes)  # bytes of the matrices, and of who uses which row
    first = 0
    while first < len(sources):
        used = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, used + memory, side="right")))
        yield first, last
        first = last


def _regress(
    gram: Gram, sources: ItemItemModel, first: int, last: int, penalties: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    systems = gram.systems(sources, first, last)
    penalty = penalties.astype(np.float32)

    def solve_some(start: int, stop: int) -> None:
        kernels.solve(systems, start, stop, penalty)

    try:
        on_all_cores(solve_some, last - first)
    except np.linalg.LinAlgError as unsolvable:
        raise TrainingError("The regressions cannot be solved: the penalty (l2) is too small for these plays.") from (
            unsolvable
        )
    return systems.sides.astype(np.float64)
