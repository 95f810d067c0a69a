"""The packed histories of all players, which a model is trained on and published with."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import log1p, nan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.catalogue import Catalogue, IntArray
from app.core.packed import PackedStrings

WeightArray = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

MAX_USER_ID_LENGTH = 128
NAME_PATTERN = "^[^\x00-\x1f\x7f]*$"  # of players, as text: no control characters
MAX_GAME_ID = 2**63 - 1
MAX_RATING = 5.0
MAX_HOURS = 1_000_000.0  # more than a century

_DAY = 86_400.0  # seconds


class Play(NamedTuple):
    """One player and one game: how long it was played (hours), how it was rated (0 to 5), and when (since 1970)."""

    user_id: str
    game_id: int
    hours: float | None = None
    rating: float | None = None
    at: float | None = None


@dataclass(frozen=True)
class PlayWeights:
    """How strongly a play counts.

    Hours are heavy-tailed, a day of idling more so: the weight is `(1 + log(1 + hours)) ** emphasis`, the hours capped;
    with an emphasis of 0 all plays count alike. A play without hours counts like one of `typical_hours` (the median
    play on Steam lasts 4.5). A rating scales the weight from 1 (the best) over 0 (the middle) to -1 (the worst): what a
    player dislikes speaks against its neighbours. So does age, by half every `half_life_days` that a play is
    older than the latest one (exponential decay: Ding and Li 2005, "Time weight collaborative filtering"), where there
    is a half-life and the play has a time.
    """

    hours_cap: float = 1000.0
    typical_hours: float = 4.5
    emphasis: float = 0.3
    half_life_days: float | None = None

    def weigh(self, hours: FloatArray, ratings: FloatArray, times: FloatArray) -> WeightArray:
        """Weigh plays; NaN stands for what is not known. Times are in seconds."""
        played = np.where(np.isnan(hours), self.typical_hours, np.minimum(hours, self.hours_cap))
        liking = np.where(np.isnan(ratings), 1.0, 2.0 * ratings / MAX_RATING - 1.0)
        weights = liking * (1.0 + np.log1p(played)) ** self.emphasis
        if self.half_life_days is not None and not np.isnan(times).all():
            age = (np.nanmax(times) - np.nan_to_num(times, nan=np.nanmax(times))) / _DAY
            weights *= 0.5 ** (age / self.half_life_days)
        return weights.astype(np.float32)

    def weigh_one(self, hours: float | None, rating: float | None) -> float:
        """Weigh one play whatever its age, as `weigh` does; for a few plays this is faster than arrays are."""
        played = self.typical_hours if hours is None else min(hours, self.hours_cap)
        weight: float = (1.0 + log1p(played)) ** self.emphasis
        return weight if rating is None else weight * (2.0 * rating / MAX_RATING - 1.0)


@dataclass(frozen=True, eq=False)
class Histories:
    """The user-item matrix: for each player the games played and their weights.

    Rows as in a CSR matrix: player u (a position in `users`, which stands in byte order) played the games at
    `indices[indptr[u]:indptr[u + 1]]` (int32, ascending) with the `weights` (float32) of the same positions: above 0
    for a game that the player likes, below 0 for one disliked, 0 for one hidden.
    """

    users: PackedStrings
    indptr: IntArray
    indices: npt.NDArray[np.int32]
    weights: WeightArray

    def __len__(self) -> int:
        """Count the players."""
        return len(self.users)

    def row(self, position: int) -> tuple[npt.NDArray[np.int32], WeightArray]:
        """Read the games and weights of the player at a position."""
        span = slice(self.indptr[position], self.indptr[position + 1])
        return self.indices[span], self.weights[span]

    def of(self, user_id: str) -> tuple[npt.NDArray[np.int32], WeightArray] | None:
        """Read what a player played; None for a player without a play."""
        position = self.users.find_sorted(user_id.encode())
        return None if position is None else self.row(position)


class Packed(NamedTuple):
    """Histories and the facts that their weights come from, a number a play, NaN where it is not known.

    `hours`, `ratings` (0 to 5) and `times` (seconds since 1970) are float64; `left_out` counts the plays of games that
    the catalogue does not have.
    """

    histories: Histories
    hours: FloatArray
    ratings: FloatArray
    times: FloatArray
    left_out: int

    def weighed(self, weights: PlayWeights) -> "Packed":
        """Weigh the same plays in another way."""
        return self._replace(
            histories=replace(self.histories, weights=weights.weigh(self.hours, self.ratings, self.times))
        )


def pack(plays: Iterable[Play], catalogue: Catalogue, weights: PlayWeights) -> Packed:
    """Pack plays that come ordered by player, in the byte order of the ids.

    Plays are left out whose game the catalogue does not have, and so is a player with no other play.
    """
    rows = _Rows(catalogue)
    for play in plays:
        rows.add(play)
    return rows.packed(weights)


def number(fact: float | None) -> float:
    """Write a fact of a play as arrays keep it: NaN where it is not known."""
    return nan if fact is None else fact


class _Rows:
    """Histories under construction, in growing arrays: a play costs its 28 bytes and no Python object."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._index = {int(game_id): index for index, game_id in enumerate(catalogue.game_ids)}
        self._user = ""
        self._row: dict[int, Play] = {}
        self._users: list[bytes] = []
        self._indptr = array("q", [0])
        self._indices = array("i")
        self._hours, self._ratings, self._times = array("d"), array("d"), array("d")
        self._left_out = 0

    def add(self, play: Play) -> None:
        if play.user_id != self._user:
            self._close_row()
            self._user = play.user_id
        index = self._index.get(play.game_id)
        if index is None:
            self._left_out += 1
        else:
            self._row[index] = play

    def _close_row(self) -> None:
        if self._row:
            user = self._user.encode()
            if self._users and user <= self._users[-1]:
                raise ValueError(f"the plays of {self._user!r} do not come in the order of the players")
            self._users.append(user)
            for index, play in sorted(self._row.items()):
                self._indices.append(index)
                self._hours.append(number(play.hours))
                self._ratings.append(number(play.rating))
                self._times.append(number(play.at))
            self._indptr.append(len(self._indices))
            self._row.clear()

    def packed(self, weights: PlayWeights) -> Packed:
        self._close_row()
        histories = Histories(
            users=PackedStrings.pack(self._users),
            indptr=np.array(self._indptr, dtype=np.int64),
            indices=np.array(self._indices, dtype=np.int32),
            weights=np.zeros(len(self._indices), dtype=np.float32),
        )
        packed = Packed(
            histories=histories,
            hours=np.array(self._hours, dtype=np.float64),
            ratings=np.array(self._ratings, dtype=np.float64),
            times=np.array(self._times, dtype=np.float64),
            left_out=self._left_out,
        )
        return packed.weighed(weights)
