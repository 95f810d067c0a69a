"""Which plays a model is not trained on, so that it can be judged by them."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from app.core.artifact import Arrays
from app.core.catalogue import Catalogue
from app.core.histories import Histories, WeightArray
from app.core.recommender import Recommender

IndexArray = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HoldOutConfig:
    """How much is held out: a `share` of the games of some players.

    Of the players with `fewest` games or more, `share_of_players` are in the test, and `most_players` at most.
    """

    share: float = 0.2
    fewest: int = 5
    share_of_players: float = 0.5
    most_players: int = 5000


class Case(NamedTuple):
    """One player in a test: the games known and their weights, and the games to be found; all as indices."""

    played: IndexArray
    strength: WeightArray
    wanted: IndexArray


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The games held out of some histories, as CSR rows over `players`, which are positions in the histories."""

    players: IndexArray
    indptr: npt.NDArray[np.int64]
    indices: IndexArray

    @classmethod
    def of(cls, histories: Histories, held: Mask) -> Self:
        """Collect the plays that a mask over all plays marks."""
        players, counts = np.unique(_player_of_each_play(histories)[held], return_counts=True)
        return cls(
            players=players.astype(np.int32),
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            indices=histories.indices[held],
        )

    def __len__(self) -> int:
        """Count the players."""
        return len(self.players)

    def to_arrays(self) -> Arrays:
        """Name the arrays as an artifact keeps them."""
        return {
            "held_out_players": self.players,
            "held_out_indptr": self.indptr,
            "held_out_indices": self.indices,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read what an artifact keeps."""
        a: Mapping[str, Any] = arrays
        return cls(a["held_out_players"], a["held_out_indptr"], a["held_out_indices"])

    def cases(self, histories: Histories) -> list[Case]:
        """Set up the test: each player's history without the games held out."""
        found = []
        for player, start, stop in zip(self.players, self.indptr, self.indptr[1:], strict=False):
            played, strength = histories.row(player)
            wanted = self.indices[start:stop]
            known = ~np.isin(played, wanted)
            found.append(Case(played[known], strength[known], wanted))
        return found


def draw(histories: Histories, times: npt.NDArray[np.float64], catalogue: Catalogue, config: HoldOutConfig) -> Mask:
    """Choose the plays to hold out, as a mask over all plays.

    Of a player whose plays all have a time, the latest; else by chance. Chance is a hash of player and game: the same
    data have the same hold-out, and a play more changes no other player's. A game that its player rated 0 is not one to
    be found, and stays.
    """
    held = np.zeros(len(histories.indices), dtype=bool)
    for player, seed in _test_players(histories, config):
        first, last = histories.indptr[player : player + 2]
        disliked, at = histories.weights[first:last] <= 0, times[first:last]
        chance = _mixed(catalogue.game_ids[histories.indices[first:last]].astype(np.uint64) ^ seed)
        order = np.lexsort((chance, chance if np.isnan(at).any() else -at, disliked))
        test = order[: max(1, round(config.share * len(order)))]
        held[first + test] = ~disliked[test]
    return held


def _test_players(histories: Histories, config: HoldOutConfig) -> list[tuple[int, np.uint64]]:
    """Choose players, and a seed for each."""
    eligible = np.flatnonzero(np.diff(histories.indptr) >= config.fewest)
    names = np.array([zlib.crc32(histories.users[player]) for player in eligible.tolist()], dtype=np.uint64)
    seeds = _mixed(names)
    wanted = min(config.most_players, ceil(config.share_of_players * len(eligible)))
    chosen = np.sort(np.lexsort((eligible, seeds))[:wanted])
    return list(zip(eligible[chosen].tolist(), seeds[chosen], strict=True))


def again(held_out: HeldOut, of: Recommender, histories: Histories, catalogue: Catalogue) -> Mask:
    """Find the plays that were held out of a recommender's histories in later ones, as a mask over all of these."""
    found = np.zeros(len(histories.indices), dtype=bool)
    moved = catalogue.indices_of(of.catalogue.game_ids)
    for row, player in enumerate(held_out.players.tolist()):
        position = histories.users.find_sorted(of.histories.users[player])
        if position is not None:
            held = held_out.indices[held_out.indptr[row] : held_out.indptr[row + 1]]
            start, stop = histories.indptr[position : position + 2]
            found[start:stop] = np.isin(histories.indices[start:stop], moved[held])
    return found


def only(histories: Histories, kept: Mask) -> Histories:
    """Take the marked plays alone; every player stays, if with no play."""
    return Histories(
        users=histories.users,
        indptr=np.concatenate([[0], np.cumsum(kept)])[histories.indptr].astype(np.int64),
        indices=histories.indices[kept],
        weights=histories.weights[kept],
    )


def _player_of_each_play(histories: Histories) -> npt.NDArray[np.intp]:
    return np.repeat(np.arange(len(histories)), np.diff(histories.indptr))


def _mixed(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread keys evenly over all numbers (the finaliser of SplitMix64: Steele, Lea and Flood 2014)."""
    mixed = keys + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
