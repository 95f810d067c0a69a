"""Lists of games, one for each of many keys, in two arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Self

import numpy as np
import numpy.typing as npt

from app.core.catalogue import IntArray


@dataclass(frozen=True, eq=False)
class Postings:
    """The games of row i stand at `indices[indptr[i]:indptr[i + 1]]` (int32, ascending); `indptr` is int64."""

    indptr: IntArray
    indices: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: Sequence[Iterable[int]]) -> Self:
        """Pack rows of ascending indices into two new arrays."""
        lists = [list(row) for row in rows]
        return cls(
            indptr=np.array([0, *accumulate(map(len, lists))], dtype=np.int64),
            indices=np.fromiter(chain.from_iterable(lists), dtype=np.int32),
        )

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.indptr) - 1

    def row(self, position: int) -> npt.NDArray[np.int32]:
        """Read one row."""
        return self.indices[self.indptr[position] : self.indptr[position + 1]]

    def lengths(self) -> IntArray:
        """Count the games of every row."""
        return np.diff(self.indptr)
