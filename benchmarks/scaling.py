"""How our training grows with the plays: they double three times, with the players, over one catalogue.

    uv run --group benchmark python benchmarks/scaling.py [GAMES]

Doubling should at most double the time. Each size runs in a process of its own; memory is what training takes above
the plays. Where other programs share the machine, go by the core seconds.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import scipy.sparse as sp

from benchmarks.measuring import Cost, alone, cost_of
from benchmarks.synthetic import plays
from training.estimators import neighbour_ridge

_INTERACTIONS = (1_250_000, 2_500_000, 5_000_000, 10_000_000)
_PLAYS_OF_A_PLAYER = 100
_GAMES = 20_000


def train(interactions: int, games: int) -> tuple[int, Cost]:
    """Train with the default configuration; tells how many plays there were."""
    neighbour_ridge.fit(sp.csr_array(np.tri(8, k=4, dtype=np.float32)))  # compiles
    matrix = plays(interactions, interactions // _PLAYS_OF_A_PLAYER, games)
    return matrix.nnz, cost_of(lambda: neighbour_ridge.fit(matrix))[1]


def main(games: int) -> None:
    """Train at each size, and print what it took."""
    print(f"{'plays':>11}{'seconds':>9}{'ratio':>7}{'core s':>8}{'ratio':>7}{'MB':>7}{'ratio':>7}")
    before: tuple[float, ...] | None = None
    for interactions in _INTERACTIONS:
        found, (seconds, core_seconds, megabytes) = alone(train, interactions, games)
        now = (seconds, core_seconds, megabytes or np.nan)
        ratios = [f"{value / base:.2f}" for value, base in zip(now, before, strict=True)] if before else [""] * 3
        print(
            f"{found:11,}{seconds:9.1f}{ratios[0]:>7}{core_seconds:8.1f}{ratios[1]:>7}{now[2]:7.0f}{ratios[2]:>7}",
            flush=True,
        )
        before = now


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else _GAMES)
