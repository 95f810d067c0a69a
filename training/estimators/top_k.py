"""The nearest of dense vectors, in blocks, so that no item x item matrix ever exists."""

import numpy as np
import numpy.typing as npt

from app.core.item_item import ItemItemModel
from training.estimators.lists import Lists, stack
from training.estimators.threads import on_all_cores

_BLOCK = 256  # games; a block of similarities to 100,000 games takes 100 MB

Vectors = npt.NDArray[np.float32]


def nearest(vectors: Vectors, k: int) -> ItemItemModel:
    """Keep the `k` largest scalar products above 0 of each vector (a row) with the others, strongest first.

    Ties stand in the order of the indices.
    """

    def of_some(start: int, stop: int) -> Lists:
        block = vectors[start:stop] @ vectors.T
        found = [_strongest(row, own, k) for own, row in enumerate(block, start=start)]
        indices, values = zip(*found, strict=True)
        return np.array([len(row) for row in indices]), np.concatenate(indices), np.concatenate(values)

    return stack(on_all_cores(of_some, len(vectors), _BLOCK))


def _strongest(similarities: Vectors, own: int, k: int) -> tuple[npt.NDArray[np.int32], Vectors]:
    similarities[own] = 0
    # Whatever is as similar as the k-th stays in, so that which of several equals is kept is not left to chance.
    least = np.partition(similarities, -k)[-k] if len(similarities) > k else 0
    near = np.flatnonzero((similarities >= least) & (similarities > 0)).astype(np.int32)
    best = near[np.lexsort((near, -similarities[near]))[:k]]
    return best, similarities[best]
