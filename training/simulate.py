"""Invented players, for a catalogue that nobody has played yet."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.catalogue import Catalogue
from app.core.histories import Play

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SimulationConfig:
    """The invented world.

    There are up to `tastes` tastes; a taste is the `pool` most-added games of one genre or tag that at most the share
    `widest` of the catalogue has ("Singleplayer" is not a taste). A player has a first
    and a second taste and plays `fewest` to `most` games: `stray` of them anything popular, of the others two thirds
    from the first taste. Hours spread around the game's average by a factor of about e to the `hours_spread`.
    """

    players: int = 100
    tastes: int = 8
    pool: int = 30
    widest: float = 0.3
    fewest: int = 12
    most: int = 32
    stray: float = 0.1
    hours_spread: float = 0.6
    typical_hours: float = 5.0
    seed: int = 12


def simulate(catalogue: Catalogue, config: SimulationConfig | None = None) -> Iterator[Play]:
    """Invent the plays of players "1" to "100", in the byte order of these ids; always the same for one catalogue.

    Popular games are played more, and players of one taste play the same games: there is something to learn. Nobody
    plays more than half the catalogue.
    """
    config = config or SimulationConfig()
    playtimes = np.array([game["playtime"] or config.typical_hours for game in catalogue], dtype=float)
    tastes = _tastes(catalogue, config)
    for user_id in sorted(map(str, range(1, config.players + 1))):
        rng = np.random.default_rng([config.seed, int(user_id)])
        for index in _games_of(rng, catalogue, tastes, config):
            hours = playtimes[index] * rng.lognormal(sigma=config.hours_spread)
            yield Play(user_id, int(catalogue.game_ids[index]), hours=max(0.1, round(float(hours), 1)))


def _tastes(catalogue: Catalogue, config: SimulationConfig) -> list[IndexArray]:
    """Choose the pools, from the labels of most games on; no game is in two."""
    labels: dict[str, list[int]] = {}
    for index, game in enumerate(catalogue):
        for label in {*game["genres"], *game["tags"]}:
            labels.setdefault(label, []).append(index)
    taken: list[int] = []
    pools: list[IndexArray] = []
    for label in sorted(labels, key=lambda label: (-len(labels[label]), label)):
        if len(labels[label]) > config.widest * len(catalogue):
            continue
        pool = _most_added(catalogue, np.setdiff1d(labels[label], taken), config.pool)
        if len(pool) >= config.fewest:
            pools.append(pool)
            taken += pool.tolist()
        if len(pools) == config.tastes:
            break
    return pools or [_most_added(catalogue, np.arange(len(catalogue)), config.pool)]


def _most_added(catalogue: Catalogue, games: IndexArray, n: int) -> IndexArray:
    return games[np.lexsort((games, -catalogue.added[games]))][:n]


def _games_of(
    rng: np.random.Generator, catalogue: Catalogue, tastes: list[IndexArray], config: SimulationConfig
) -> list[int]:
    anything = _most_added(catalogue, np.arange(len(catalogue)), 4 * config.pool)
    first, second = rng.permutation(len(tastes))[:2] if len(tastes) > 1 else (0, 0)
    wanted = min(int(rng.integers(config.fewest, config.most + 1)), max(1, len(catalogue) // 2))
    parts = rng.multinomial(wanted, [(1 - config.stray) * 2 / 3, (1 - config.stray) / 3, config.stray])
    played: list[int] = []
    for pool, part in zip((tastes[first], tastes[second], anything), parts, strict=True):
        left = np.setdiff1d(pool, played)
        # People keep popular games in their lists far more often than they play them more.
        popularity = np.sqrt(catalogue.added[left] + 1.0)
        n = min(int(part), len(left))
        played += rng.choice(left, n, replace=False, p=popularity / popularity.sum()).tolist() if n else []
    return sorted(played)
