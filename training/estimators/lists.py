"""Neighbour lists from parts."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from app.core.item_item import ItemItemModel

# Of some items: how many neighbours each has, and all their neighbours and weights, one item's after the other's.
Lists = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]


def stack(parts: Iterable[Lists]) -> ItemItemModel:
    """Put the lists of all items together, in order."""
    nothing: Lists = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
    lengths, indices, weights = zip(nothing, *parts, strict=True)
    return ItemItemModel(
        indptr=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
        indices=np.concatenate(indices),
        weights=np.concatenate(weights),
    )


def by_source(
    source: npt.NDArray[np.integer], target: npt.NDArray[np.integer], weights: npt.NDArray[np.floating], items: int
) -> ItemItemModel:
    """List for each item the targets that it speaks for, strongest first, ties in the order of the indices."""
    order = np.lexsort((target, -weights, source))
    return ItemItemModel(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=items))]).astype(np.int64),
        indices=target[order].astype(np.int32),
        weights=weights[order].astype(np.float32),
    )
