"""Whether values are spread as they were: the population stability index."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue
from scipy.special import chdtri

from app.core.labels import Labels

FEWEST = 100  # below that, an index says more about chance than about the world

_MOST_BINS = 10
_PER_BIN = 20  # samples, at least
_RARE = 0.01  # a label on fewer of all places is one of the others
_CHANCE = 0.01
_NOTHING = 0.5  # of a sample is added to every bin: an empty one would make the index infinite

Counts = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating | np.integer]


class Sizes(NamedTuple):
    """How many independent samples there are: games, or players, whose plays are not independent."""

    before: int
    after: int

    def enough(self) -> bool:
        """Tell whether there are enough to tell a change from chance."""
        return min(self) >= FEWEST

    def bins(self) -> int:
        """Choose into how many bins they go."""
        return max(1, min(_MOST_BINS, min(self) // _PER_BIN))


@dataclass(frozen=True, eq=False)
class Binned:
    """What is compared: names of bins, and how many samples each has in both versions."""

    names: list[str]
    before: Counts
    after: Counts


@dataclass(frozen=True)
class Moved:
    """The bin that adds most to an index, and its shares of all samples (0 to 1)."""

    what: str
    before: float
    after: float


@dataclass(frozen=True)
class Drift:
    """How far one feature has drifted; by chance alone its index is above `by_chance` once in 100 times."""

    name: str
    psi: float
    by_chance: float
    drifted: bool
    moved: Moved

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return asdict(self)


def parts(before: Counts, after: Counts) -> FloatArray:
    """Work out what each bin adds to the population stability index; a bin without a sample adds nothing.

    The index is the sum over the bins of `(after - before) * log(after / before)`, the shares of all samples (Siddiqi
    2006, "Credit Risk Scorecards"): 0 where nothing has changed, by convention a change from 0.1 on, a great one from
    0.2 or 0.25 on. Half a sample is added to each bin.
    """
    used = before + after > 0
    old, new = ((counts[used] + _NOTHING) / (counts.sum() + _NOTHING * used.sum()) for counts in (before, after))
    found = np.zeros(len(used))
    found[used] = (new - old) * np.log(new / old)
    return found


def measure(name: str, binned: Binned, sizes: Sizes, warning: float) -> Drift:
    """Measure one feature, which has drifted where its index is above `warning` and is not one of chance.

    Where nothing has changed, the index times `1 / (1 / before + 1 / after)` is distributed as chi-squared with a
    degree of freedom less than bins (Yurdakul 2018, "Statistical Properties of Population Stability Index").
    """
    added = parts(binned.before, binned.after)
    psi, bins = float(added.sum()), np.count_nonzero(binned.before + binned.after)
    by_chance = float(chdtri(max(bins - 1, 1), _CHANCE)) * (1 / sizes.before + 1 / sizes.after)
    most = np.lexsort((binned.after, added))[-1]  # where nothing has moved, the bin with the most samples
    old, new = (float(counts[most] / max(counts.sum(), 1)) for counts in (binned.before, binned.after))
    return Drift(name, psi, by_chance, psi > max(warning, by_chance), Moved(binned.names[most], old, new))


def by_value(before: Numbers, after: Numbers, bins: int) -> Binned:
    """Bin numbers into `bins` that have about as many each before, and one for those that are not known (NaN).

    A value that is so frequent before that it would fill more than one bin has one to itself.
    """
    was, now = before.astype(np.float64), after.astype(np.float64)
    known = was[~np.isnan(was)]
    wanted = np.arange(1, bins) / bins
    found = np.quantile(known, wanted, method="inverted_cdf") if len(known) else known
    tops, times = np.unique(found, return_counts=True)
    edges = np.union1d(tops, np.nextafter(tops[times > 1], -np.inf))
    unknown = len(edges) + 1
    old, new = (
        np.bincount(np.where(np.isnan(values), unknown, np.searchsorted(edges, values)), minlength=unknown + 1)
        for values in (was, now)
    )
    return Binned([*_ranges(edges), "unknown"], old, new)


def by_label(before: Labels, after: Labels, games: Sizes) -> Binned:
    """Bin the places where games bear labels, by label; rare ones together, and games without a label by themselves."""
    counts = [_counts(labels) for labels in (before, after)]
    names = sorted({*counts[0], *counts[1]})
    old, new = (np.array([of.get(name, 0) for name in names], dtype=np.int64) for of in counts)
    rare = old < _RARE * old.sum()
    without = [size - len(np.unique(labels.games.indices)) for size, labels in zip(games, (before, after), strict=True)]
    return Binned(
        [*(name for name, is_rare in zip(names, rare, strict=True) if not is_rare), "others", "none"],
        np.append(old[~rare], [old[rare].sum(), without[0]]),
        np.append(new[~rare], [new[rare].sum(), without[1]]),
    )


def by_popularity(before: Counts, after: Counts, elsewhere: int, bins: int) -> Binned:
    """Bin plays by how popular their game was: `bins` groups of games that had about as many plays each.

    `before` and `after` count the plays of the games that there were; those of others, of which there are `elsewhere`
    after, go with the games that were played least.
    """
    order = np.argsort(-before, kind="stable")
    middle = np.cumsum(before[order]) - before[order] / 2
    groups = np.minimum(middle / max(before.sum(), 1) * bins, bins - 1).astype(np.int64)
    _, firsts, places = np.unique(groups, return_index=True, return_inverse=True)
    old, new = (
        np.bincount(places, weights=counts[order], minlength=len(firsts)).astype(np.int64) for counts in (before, after)
    )
    new[-1] += elsewhere
    return Binned([*_ranks(firsts.tolist()), "the other games"], old, new)


def _counts(labels: Labels) -> Mapping[str, int]:
    return {labels.name(place): count for place, count in enumerate(labels.games.lengths().tolist())}


def _ranges(edges: FloatArray) -> list[str]:
    """Name the bins that end at edges, which belong to them, and the one above."""
    if not len(edges):
        return ["known"]
    alone = [low == np.nextafter(high, -np.inf) for low, high in pairwise(edges)]
    between = [
        _number(high) if is_alone else f"{_number(low)} to {_number(high)}"
        for (low, high), is_alone in zip(pairwise(edges), alone, strict=True)
    ]
    return [f"{'below' if any(alone[:1]) else 'up to'} {_number(edges[0])}", *between, f"above {_number(edges[-1])}"]


def _number(value: float) -> str:
    rounded = round(float(value), 2)
    return str(int(rounded)) if rounded.is_integer() else str(rounded)


def _ranks(firsts: list[int]) -> list[str]:
    """Name groups of games, but for the last, by their places in the order of popularity."""
    return [_places(start + 1, stop) for start, stop in pairwise(firsts)]


def _places(first: int, last: int) -> str:
    if first == last:
        return f"place {first} by plays"
    return f"places {first} to {last} by plays"
