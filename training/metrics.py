"""How good ranked lists are, player by player, and what they show of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.hold_out import IndexArray

CUT = 10
DEEP_CUT = 20
NDCG = f"ndcg@{CUT}"
RECALL = f"recall@{DEEP_CUT}"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """The ranked lists of a test: for each player `DEEP_CUT` games, -1 standing for none, and the games wanted."""

    lists: npt.NDArray[np.int32]
    wanted: Sequence[IndexArray]

    def per_player(self) -> dict[str, FloatArray]:
        """Judge each player's list by the games that were to be found in it."""
        hits = np.zeros(self.lists.shape, dtype=bool)
        for row, games, wanted in zip(hits, self.lists, self.wanted, strict=True):
            row[:] = np.isin(games, wanted)
        relevant = np.array([len(wanted) for wanted in self.wanted], dtype=np.int64)
        return {
            NDCG: ndcg(hits[:, :CUT], relevant),
            RECALL: hits.sum(axis=1) / relevant,
            f"ndcg@{DEEP_CUT}": ndcg(hits, relevant),
            f"mrr@{CUT}": reciprocal_rank(hits[:, :CUT]),
            f"hit_rate@{CUT}": hits[:, :CUT].any(axis=1).astype(np.float64),
        }

    def novelty(self, surprise: FloatArray) -> FloatArray:
        """Average what is recommended to each player of what each game's `surprise` is."""
        shown = self.lists[:, :CUT]
        average: FloatArray = np.where(shown >= 0, surprise[shown], 0).sum(axis=1) / np.maximum(
            (shown >= 0).sum(axis=1), 1
        )
        return average

    def shown(self, games: int, counts: npt.NDArray[np.int64]) -> FloatArray:
        """Count how often each game is recommended; each player counts so and so often."""
        shown = self.lists[:, :CUT]
        weights = np.broadcast_to(counts[:, None], shown.shape)[shown >= 0]
        return np.bincount(shown[shown >= 0], weights, games).astype(np.float64)


def ndcg(hits: npt.NDArray[np.bool_], relevant: npt.NDArray[np.integer]) -> FloatArray:
    """Discounted gain of ranked lists over that of the best possible ones, binary gains (Järvelin and Kekäläinen 2002).

    `hits` (players x places) tells whether the game at a place is one of the `relevant` ones, counted by player.
    """
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.concatenate([[0], np.cumsum(discounts)])[np.minimum(relevant, hits.shape[1])]
    gains: FloatArray = hits @ discounts / best
    return gains


def reciprocal_rank(hits: npt.NDArray[np.bool_]) -> FloatArray:
    """One over the place of the first hit; 0 without a hit."""
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def gini(counts: npt.ArrayLike) -> float:
    """Tell how unequally something is shared out: 0 where all have the same, towards 1 where one has everything."""
    ordered = np.sort(np.asarray(counts, dtype=np.float64))
    n, total = len(ordered), ordered.sum()
    return float(2 * (np.arange(1, n + 1) @ ordered) / (n * total) - (n + 1) / n) if total else 0.0
