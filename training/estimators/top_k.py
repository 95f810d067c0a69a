"""Neighbour lists from blocks of similarities, so that no item x item matrix ever exists."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from app.core.item_item import ItemItemModel

_BLOCK = 256  # games; a dense block of 100,000 columns takes 100 MB

Similarities: TypeAlias = Any  # a numpy array or a scipy CSR array, and scipy has no types
Lists = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]


def top_k(items: int, similarities: Callable[[slice], Similarities], k: int) -> ItemItemModel:
    """Keep each item's `k` largest similarities above 0, strongest first, ties in the order of the indices.

    `similarities(rows)` computes those of some items to all (rows x items, dense or sparse); blocks of rows run on
    all cores. An item is not its own neighbour.
    """
    starts = range(0, items, _BLOCK)
    jobs = (delayed(_strongest)(similarities, slice(start, min(start + _BLOCK, items)), k) for start in starts)
    return _stack(Parallel(n_jobs=-1, prefer="threads")(jobs))


def _strongest(similarities: Callable[[slice], Similarities], rows: slice, k: int) -> Lists:
    found = [
        _best(indices, values, own, k)
        for own, (indices, values) in enumerate(_each_row(similarities(rows)), start=rows.start)
    ]
    return (
        np.array([len(indices) for indices, _ in found], dtype=np.int64),
        np.concatenate([indices for indices, _ in found]).astype(np.int32),
        np.concatenate([values for _, values in found]).astype(np.float32),
    )


def _each_row(block: Similarities) -> Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    if isinstance(block, np.ndarray):
        columns = np.arange(block.shape[1])
        return ((columns, row) for row in block)
    spans = (slice(*ends) for ends in zip(block.indptr[:-1], block.indptr[1:], strict=True))
    return ((block.indices[span], block.data[span]) for span in spans)


def _best(
    indices: npt.NDArray[Any], values: npt.NDArray[Any], own: int, k: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    wanted = (values > 0) & (indices != own)
    indices, values = indices[wanted], values[wanted]
    if len(values) > k:
        # Whatever is as similar as the k-th stays in, so that which of several equals is kept is not left to chance.
        near = values >= np.partition(values, -k)[-k]
        indices, values = indices[near], values[near]
    best = np.lexsort((indices, -values))[:k]
    return indices[best], values[best]


def _stack(blocks: Iterable[Lists]) -> ItemItemModel:
    lengths, indices, weights = zip(*blocks, strict=True)
    return ItemItemModel(
        indptr=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
        indices=np.concatenate(indices),
        weights=np.concatenate(weights),
    )
