"""The model: for each game the games that go with it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.catalogue import IntArray

ScoreArray = npt.NDArray[np.float64]


class Contributions(NamedTuple):
    """What each played game adds to each candidate: three arrays of one length, an entry a (played, candidate) pair."""

    candidates: npt.NDArray[np.int32]
    played: npt.NDArray[np.int32]
    values: ScoreArray

    def and_also(self, others: "Contributions") -> "Contributions":
        """Put two sets of pairs into one."""
        return Contributions(
            np.concatenate([self.candidates, others.candidates]),
            np.concatenate([self.played, others.played]),
            np.concatenate([self.values, others.values]),
        )

    def totals(self) -> tuple[npt.NDArray[np.int32], ScoreArray]:
        """Add up each candidate's contributions: the candidates (ascending) and their scores."""
        candidates, position = np.unique(self.candidates, return_inverse=True)
        totals = np.bincount(position, weights=self.values, minlength=len(candidates))
        return candidates.astype(np.int32, copy=False), totals.astype(np.float64, copy=False)


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

    def contributions(self, played: npt.NDArray[np.int32], strength: npt.ArrayLike) -> Contributions:
        """Weigh the neighbours of all played games: one pair for each neighbour of each played game.

        The score of a candidate is the sum of its contributions, so each is the exact share of one played game.
        Costs as much as the played games have neighbours, however large the catalogue is.
        """
        starts = self.indptr[played]
        lengths = self.indptr[played + 1] - starts
        ends = np.cumsum(lengths)
        positions = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
        strengths = np.repeat(np.asarray(strength, dtype=np.float64), lengths)
        return Contributions(
            candidates=self.indices[positions],
            played=np.repeat(played, lengths),
            values=strengths * self.weights[positions],
        )
