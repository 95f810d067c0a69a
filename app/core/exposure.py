"""Which games get into more lists than before, and which into fewer; and some players' lists to look at.

Both models are asked with the plays that are known now, as the service does: what differs is the model. Only players
whom the new model knows are asked for, so that one who was erased since is not in what is found.
"""

import zlib
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from app.core.artifact import Rest, no_rest
from app.core.catalogue import IntArray
from app.core.histories import Histories, WeightArray
from app.core.recommender import Recommender

CUT = 10  # so many of the first games of a list are compared
SAMPLE = 500

_MOVERS = 10
_SHOWN_PLAYERS = 4
_SHOWN_GAMES = 5
_FEWEST_PLAYS = 5
_LOOKED_AT = 20  # players for each that is wanted

_NOTHING = np.zeros(0, dtype=np.int32)
_NO_WEIGHT = np.zeros(0, dtype=np.float32)

GameIds = list[int]


@dataclass(frozen=True)
class Mover:
    """One game, and the shares (0 to 1) of lists that it was in and is in."""

    game_id: int
    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Exposure:
    """What changed in the first ten games of `players`: which share of a list stayed, and which games moved most.

    `kept` is None where there is no player.
    """

    players: int
    kept: float | None
    risers: tuple[Mover, ...]
    fallers: tuple[Mover, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {
            "players": self.players,
            "kept": self.kept,
            "risers": [asdict(mover) for mover in self.risers],
            "fallers": [asdict(mover) for mover in self.fallers],
        }


NO_EXPOSURE = Exposure(0, None, (), ())


@dataclass(frozen=True)
class SamplePlayer:
    """One player, how many games they played, and the names of the first games recommended before and after."""

    user_id: str
    plays: int
    before: tuple[str, ...]
    after: tuple[str, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {
            "user_id": self.user_id,
            "plays": self.plays,
            "before": list(self.before),
            "after": list(self.after),
        }


class Lists(NamedTuple):
    """The game ids recommended to one player before and after."""

    before: GameIds
    after: GameIds


class Pair:
    """Two models that answer the same players: those that `after` knows."""

    def __init__(self, before: Recommender, after: Recommender) -> None:
        self.before = before
        self.after = after
        self._moved = before.catalogue.indices_of(after.catalogue.game_ids)
        self._gone = after.catalogue.indices_of(before.catalogue.game_ids) < 0

    def exposure(self, positions: IntArray, rest: Rest = no_rest) -> Exposure:
        """Compare the lists of some players: at most `SAMPLE`, always the same of the same players.

        `rest` is called after each, for whoever has other work to let through.
        """
        if not len(positions):
            return NO_EXPOSURE
        lists = []
        for position in _by_chance(self.after.histories, positions)[:SAMPLE].tolist():
            lists.append(self.lists(position))
            rest()
        was, now = (Counter(game_id for of in lists for game_id in of[side]) for side in (0, 1))
        risers = sorted((was[game_id] - now[game_id], game_id) for game_id in now if now[game_id] > was[game_id])
        fallers = sorted((now[game_id] - was[game_id], game_id) for game_id in was if now[game_id] < was[game_id])

        def movers(found: list[tuple[int, int]]) -> tuple[Mover, ...]:
            return tuple(
                Mover(game_id, self._name(game_id), was[game_id] / len(lists), now[game_id] / len(lists))
                for _, game_id in found[:_MOVERS]
            )

        kept = sum(len({*before} & {*after}) for before, after in lists) / max(was.total(), 1)
        return Exposure(len(lists), kept, movers(risers), movers(fallers))

    def samples(self, positions: IntArray) -> tuple[SamplePlayer, ...]:
        """Show the lists of a few of some players: of those with five plays or more, if any, who have a usual number.

        Half the players of a shop have a single game, and of those half the same.
        """
        users = self.after.histories
        plays = np.diff(users.indptr)
        if np.any(plays[positions] >= _FEWEST_PLAYS):
            positions = positions[plays[positions] >= _FEWEST_PLAYS]
        if not len(positions):
            return ()
        ordered = _by_chance(users, positions)
        unusual = np.abs(plays[ordered] - np.median(plays[ordered]))
        return tuple(map(self._sample, ordered[np.argsort(unusual, kind="stable")][:_SHOWN_PLAYERS].tolist()))

    def lists(self, position: int) -> Lists:
        """Ask both models for a player of `after`."""
        before = self.before.rank(*self._as_before(position), CUT)
        after = self.after.rank(*self.after.histories.row(position), CUT)
        return Lists(
            self.before.catalogue.game_ids[before].tolist(),
            self.after.catalogue.game_ids[after].tolist(),
        )

    def _as_before(self, position: int) -> tuple[npt.NDArray[np.int32], WeightArray]:
        """Write a history for `before`; what `after` cannot know are plays of games that are gone."""
        played, strengths = self.after.histories.row(position)
        moved = self._moved[played]
        there = moved >= 0
        theirs, weights = self.before.histories.of(self._user(position)) or (_NOTHING, _NO_WEIGHT)
        gone = self._gone[theirs]
        return (
            np.concatenate([moved[there], theirs[gone]]).astype(np.int32),
            np.concatenate([strengths[there], weights[gone]]),
        )

    def _user(self, position: int) -> str:
        return self.after.histories.users[position].decode()

    def _sample(self, position: int) -> SamplePlayer:
        before, after = (tuple(map(self._name, ids[:_SHOWN_GAMES])) for ids in self.lists(position))
        return SamplePlayer(self._user(position), len(self.after.histories.row(position)[0]), before, after)

    def _name(self, game_id: int) -> str:
        gone = self.after.catalogue.index_of(game_id) is None
        return (self.before if gone else self.after).game(game_id)["name"]


def some_known_to(before: Histories, after: Histories, most: int) -> IntArray:
    """Find the positions in `after` of some players whom `before` knows too, always the same: at most `most`.

    At the cost of those that are looked at, not of all: where few are known to both, few are found.
    """
    drawn = np.random.default_rng(0).permutation(len(after))[: most * _LOOKED_AT]
    known = (where for where in drawn.tolist() if before.users.find_sorted(after.users[where]) is not None)
    return np.array(list(islice(known, most)), dtype=np.int64)


def known_to(before: Histories, after: Histories) -> npt.NDArray[np.bool_]:
    """Mark the players of `after` whom `before` knows too."""
    known = set(before.users)
    return np.array([user in known for user in after.users], dtype=bool)


def _by_chance(histories: Histories, positions: IntArray) -> IntArray:
    """Order players by a hash of their names: another player more changes nothing among the others."""
    names = histories.users.take(positions)
    return positions[np.argsort(np.array([zlib.crc32(name) for name in names], dtype=np.uint32), kind="stable")]
