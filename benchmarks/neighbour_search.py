"""The 100 most similar games of each game by cosine: our search against implicit's, on ten million plays.

    uv run --group benchmark python benchmarks/neighbour_search.py [INTERACTIONS PLAYERS GAMES]

Each runs in a process of its own, which draws the same plays first. Memory is what the search takes above them.
"""

import os
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import scipy.sparse as sp

from benchmarks.measuring import Cost, alone, cost_of
from benchmarks.synthetic import plays

_NEIGHBOURS = 100
_DEFAULT = (10_000_000, 100_000, 20_000)


class Search(NamedTuple):
    """What a search took, what its first call took on a tiny matrix (seconds), and the sum of all similarities."""

    plays: int
    cost: Cost
    first_call: float
    checksum: float


def ours(interactions: int, players: int, games: int) -> Search:
    """Search with our kernels, which are compiled at the first call."""
    from training.estimators import cosine
    from training.estimators.cosine import CosineConfig

    config = CosineConfig(neighbours=_NEIGHBOURS, shrinkage=0, longest_history=games)
    _, first = cost_of(lambda: cosine.fit(_tiny(), config))
    matrix = plays(interactions, players, games)
    model, cost = cost_of(lambda: cosine.fit(matrix, config))
    return Search(matrix.nnz, cost, first.seconds, float(model.weights.sum(dtype=np.float64)))


def implicit(interactions: int, players: int, games: int) -> Search:
    """Search with implicit, which counts each game among its own neighbours."""
    from implicit.nearest_neighbours import CosineRecommender

    warnings.filterwarnings("ignore", "Method expects CSR input")  # it warns of what it does itself
    model = CosineRecommender(K=_NEIGHBOURS + 1)
    _, first = cost_of(lambda: model.fit(_tiny(), show_progress=False))
    matrix = plays(interactions, players, games)
    _, cost = cost_of(lambda: model.fit(matrix, show_progress=False))
    similarity = model.similarity
    return Search(matrix.nnz, cost, first.seconds, float(similarity.sum() - similarity.diagonal().sum()))


def _tiny() -> sp.csr_matrix:
    return sp.csr_matrix(np.tri(8, k=4, dtype=np.float32))


def main(interactions: int, players: int, games: int) -> None:
    """Run both, and print what they took."""
    with TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder  # so that our kernels are compiled in this run
        found = {search.__name__: alone(search, interactions, players, games) for search in (implicit, ours)}
    print(f"{found['ours'].plays:,} plays, {players:,} players, {games:,} games, {_NEIGHBOURS} neighbours")
    yardstick = found["implicit"]
    print(f"{'':10}{'seconds':>9}{'ratio':>7}{'with first call':>17}{'ratio':>7}{'core s':>8}{'MB':>7}{'checksum':>14}")
    for name, (_, cost, first, checksum) in found.items():
        whole, whole_yardstick = cost.seconds + first, yardstick.cost.seconds + yardstick.first_call
        print(
            f"{name:10}{cost.seconds:9.1f}{cost.seconds / yardstick.cost.seconds:7.2f}{whole:17.1f}"
            f"{whole / whole_yardstick:7.2f}{cost.core_seconds:8.1f}{cost.megabytes or np.nan:7.0f}{checksum:14.2f}"
        )
    print(f"Compiling our kernels (the first call, on a tiny matrix): {found['ours'].first_call:.1f} seconds, once.")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:4]) if sys.argv[1:] else _DEFAULT))
