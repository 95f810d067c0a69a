"""The model: for each game the games that go with it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.catalogue import IntArray

ScoreArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemItemModel:
    """Sparse neighbour lists.

    Playing game j speaks for the games `indices[indptr[j]:indptr[j + 1]]` (int32) as strongly as the `weights`
    (float32) of the same positions, strongest first.
    """

    indptr: IntArray
    indices: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Count the games."""
        return len(self.indptr) - 1

    def neighbours(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Read the games that go with one game, and how strongly."""
        span = slice(self.indptr[index], self.indptr[index + 1])
        return self.indices[span], self.weights[span]
