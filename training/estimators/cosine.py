"""Item-based collaborative filtering by shrunk cosine."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from app.core.item_item import ItemItemModel
from training.estimators.top_k import top_k


@dataclass(frozen=True)
class CosineConfig:
    """The numbers that shape the model.

    `shrinkage` is the number of common players at which a similarity counts half: what two players agree on is chance,
    what two hundred agree on is not.
    """

    neighbours: int = 100
    shrinkage: float = 50.0


def fit(matrix: sp.csr_array, config: CosineConfig | None = None) -> ItemItemModel:
    """Relate games by the players they share.

    The similarity of games i and j is `cos(i, j) * n / (n + shrinkage)`, n being the number of players with both:
    the cosine of Sarwar et al. (2001, "Item-based collaborative filtering recommendation algorithms"), with the
    significance weighting of Herlocker et al. (1999) in the form of Bell and Koren (2007).

    `matrix` (players x games) holds the weights of plays, none negative. Computed sparsely in blocks of games; the
    memory grows with the plays, not with the square of the games.
    """
    config = config or CosineConfig()
    plays = sp.csr_array(matrix, dtype=np.float32, copy=True)
    plays.eliminate_zeros()
    lengths = np.sqrt(plays.power(2).sum(axis=0))
    players = sp.csr_array(plays @ sp.diags_array(1 / np.where(lengths > 0, lengths, 1)), dtype=np.float32)
    games = sp.csr_array(players.T)
    had_by, had = _ones(games), _ones(players)

    def similarities(rows: slice) -> sp.csr_array:
        cosine = (games[rows] @ players).sorted_indices()
        # The same products of the same patterns, so the entries stand at the same places.
        common = (had_by[rows] @ had).sorted_indices().data
        cosine.data *= common / (common + config.shrinkage)
        return cosine

    return top_k(plays.shape[1], similarities, config.neighbours)


def _ones(matrix: sp.csr_array) -> sp.csr_array:
    return sp.csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
