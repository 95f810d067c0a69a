"""What players did: the store of it, and the packed histories that a model is trained on and answers from."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.catalogue import Catalogue, IntArray
from app.core.errors import InteractionStoreError
from app.core.packed import PackedStrings

WeightArray = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

MAX_USER_ID_LENGTH = 128
MAX_GAME_ID = 2**63 - 1
MAX_RATING = 5.0

_DAY = 86_400.0  # seconds


class Play(NamedTuple):
    """One player and one game: how long it was played (hours), how it was rated (0 to 5), and when."""

    user_id: str
    game_id: int
    hours: float | None = None
    rating: float | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class PlayWeights:
    """How strongly a play counts.

    Hours are heavy-tailed, a day of idling more so: the weight is `(1 + log(1 + hours)) ** emphasis`, the hours capped;
    with an emphasis of 0 all plays count alike. A play without hours counts like one of `typical_hours` (the median
    play on Steam lasts 4.5). A rating scales the weight; so does age, by half every `half_life_days` that a play is
    older than the latest one (exponential decay: Ding and Li 2005, "Time weight collaborative filtering"), where there
    is a half-life and the play has a time.
    """

    hours_cap: float = 1000.0
    typical_hours: float = 4.5
    emphasis: float = 0.3
    half_life_days: float | None = None

    def weigh(self, hours: FloatArray, ratings: FloatArray, times: FloatArray) -> WeightArray:
        """Weigh plays: 0 for a game rated 0, else positive. NaN stands for what is not known; times are in seconds."""
        played = np.where(np.isnan(hours), self.typical_hours, np.minimum(hours, self.hours_cap))
        liking = np.where(np.isnan(ratings), 1.0, ratings / MAX_RATING)
        weights = liking * (1.0 + np.log1p(played)) ** self.emphasis
        if self.half_life_days is not None and not np.isnan(times).all():
            age = (np.nanmax(times) - np.nan_to_num(times, nan=np.nanmax(times))) / _DAY
            weights *= 0.5 ** (age / self.half_life_days)
        return weights.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Histories:
    """The user-item matrix: for each player the games played and their weights.

    Rows as in a CSR matrix: player u (a position in `users`, which stands in byte order) played the games at
    `indices[indptr[u]:indptr[u + 1]]` (int32, ascending) with the `weights` (float32) of the same positions.
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
                self._times.append(nan if play.at is None else play.at.timestamp())
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


class InteractionStore:
    """The plays that were imported, in an SQLite file; one row a player and game, the last one written counts."""

    _SCHEMA = """
        CREATE TABLE IF NOT EXISTS plays (
            user_id TEXT NOT NULL, game_id INTEGER NOT NULL, hours REAL, rating REAL, at TEXT,
            PRIMARY KEY (user_id, game_id)
        ) STRICT, WITHOUT ROWID
    """
    _PUT = "INSERT OR REPLACE INTO plays VALUES (?, ?, ?, ?, ?)"

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._database() as database:
            database.execute("PRAGMA journal_mode=WAL")  # an import does not wait for a run that reads, nor it for that
            database.execute(self._SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction; raises `InteractionStoreError` for whatever SQLite cannot do."""
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
                yield database
        except sqlite3.Error as failed:
            raise InteractionStoreError(f"The plays in {self._path} cannot be used: {failed}.") from failed

    def put(self, plays: Iterable[Play]) -> None:
        """Write plays, all of them or, when the iterable or the disk fails, none."""
        with self._database() as database:
            database.executemany(
                self._PUT, ((*play[:4], play.at and play.at.astimezone(UTC).isoformat()) for play in plays)
            )

    def stream(self) -> Iterator[Play]:
        """Read all plays, ordered by player (in byte order) and game."""
        with self._database() as database:
            rows = database.execute("SELECT * FROM plays ORDER BY user_id, game_id")
            for user_id, game_id, hours, rating, at in rows:
                yield Play(user_id, game_id, hours, rating, at and datetime.fromisoformat(at))

    def __len__(self) -> int:
        """Count the plays."""
        with self._database() as database:
            count: int = database.execute("SELECT count(*) FROM plays").fetchone()[0]
            return count
