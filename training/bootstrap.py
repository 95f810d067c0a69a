"""Intervals by resampling players (Efron 1979): how much of a number is the luck of who was in the test."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_RESAMPLES = 1000
_MOST_DRAWN = 2**24  # numbers at once
_INTERVAL = (2.5, 97.5)  # percent

FloatArray = npt.NDArray[np.float64]


class Estimate(NamedTuple):
    """A number over the players of a test, and its 95 % interval."""

    value: float
    low: float
    high: float


def of_mean(per_player: FloatArray) -> Estimate:
    """Estimate the mean of a number that each player has."""
    players = len(per_player)
    means = [counts @ per_player / players for counts in _resamples(players)]
    low, high = np.percentile(np.concatenate(means), _INTERVAL).tolist()
    return Estimate(float(per_player.mean()), low, high)


def of_all(number: Callable[[npt.NDArray[np.int64]], float], players: int) -> Estimate:
    """Estimate a number of all players together, from 0 to 1; it is given how often each player counts.

    Where it depends on how many different players there are, as coverage does, resamples are biased: the interval is
    their spread around the number itself.
    """
    value = number(np.ones(players, dtype=np.int64))
    found = np.array([number(counts) for chunk in _resamples(players) for counts in chunk])
    low, high = np.clip(value + np.percentile(found - found.mean(), _INTERVAL), 0, 1).tolist()
    return Estimate(value, low, high)


def _resamples(players: int) -> Iterator[npt.NDArray[np.int64]]:
    """Draw players with replacement, always the same: how often each is drawn (resamples x players), chunk by chunk."""
    rng = np.random.default_rng(0)
    at_once = max(1, _MOST_DRAWN // players)
    for done in range(0, _RESAMPLES, at_once):
        yield rng.multinomial(players, np.full(players, 1 / players), size=min(at_once, _RESAMPLES - done))
