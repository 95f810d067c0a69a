"""Plays that look like real ones, in any number."""

import numpy as np
import scipy.sparse as sp

_POPULARITY = 0.6  # a game's share of the plays falls with its rank to this power
_SURPLUS = 1.15  # some of the plays that are drawn fall on the same player and game


def plays(interactions: int, players: int, games: int) -> sp.csr_matrix:
    """Draw about so many plays: a user-item matrix (players x games), float32 weights from 0.5 to 1.5.

    Players differ in how much they play as a lognormal distribution with a spread of 1 does. The same arguments give
    the same plays.
    """
    rng = np.random.default_rng(0)
    activity = rng.lognormal(0, 1, players)
    popularity = np.arange(1, games + 1) ** -_POPULARITY
    drawn = int(interactions * _SURPLUS)
    rows = rng.choice(players, drawn, p=activity / activity.sum()).astype(np.int32)
    columns = rng.choice(games, drawn, p=popularity / popularity.sum()).astype(np.int32)
    matrix = sp.csr_matrix((np.ones(drawn, dtype=np.float32), (rows, columns)), shape=(players, games))
    matrix.sum_duplicates()
    matrix.data = rng.random(matrix.nnz, dtype=np.float32) + np.float32(0.5)
    return matrix
