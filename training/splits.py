"""The plays of a benchmark: what is trained on and what is to be found, from files in one of two formats."""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from app.core.errors import BenchmarkError, ImportFailedError
from app.core.histories import PlayWeights, number
from training.hold_out import IndexArray
from training.plays import PlaysFile

_SHARE = 0.2
_FEWEST = 5
_NUMBERS = re.compile(rb"\s*\d{1,18}(\s+\d{1,18})*\s*")

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Split:
    """A user-item matrix to train on, and the games to be found.

    `train` (players x games) holds the weights of the plays, float32; a game rated 0 stands there with a 0. `players`
    are the rows under test, in order, and `wanted` the games to be found for each: one that nobody plays in `train` has
    a number behind the last column. `notes` say in sentences what was made of the files.
    """

    train: sp.csr_array
    players: IndexArray
    wanted: list[IndexArray]
    notes: list[str]


def read(train: Path, test: Path | None) -> Split:
    """Read a split, or read one file and hold a fifth of the games of each player out who has five.

    A file is a CSV file as `import` takes it, or text with one player a line: `user item item ...`, whole numbers.
    Raises `ImportFailedError` for a file that is neither, and `BenchmarkError` where two do not fit together or nothing
    is to be found.
    """
    users: dict[str, int] = {}
    known = _read(train, users)
    split = _hold_out(known, len(users), train) if test is None else _join(known, users, train, test)
    if not len(split.players):
        raise BenchmarkError(f"There is nothing to be found: {split.notes[-1]}")
    return split


class _Plays(NamedTuple):
    """The plays of a file, each player and game once, ordered by player and game; players are rows of the matrix."""

    is_csv: bool
    players: Int64s
    games: Int64s
    weights: npt.NDArray[np.float32]
    set_aside: int


def _hold_out(plays: _Plays, players: int, path: Path) -> Split:
    rng = np.random.default_rng(0)
    held = np.zeros(len(plays.players), dtype=bool)
    for likes in _by_player(plays.players, np.flatnonzero(plays.weights > 0)):
        if len(likes) >= _FEWEST:
            held[rng.choice(likes, max(1, round(_SHARE * len(likes))), replace=False)] = True
    catalogue, games = np.unique(plays.games, return_inverse=True)
    tested = np.unique(plays.players[held])
    wanted = [games[of_one].astype(np.int32) for of_one in _by_player(plays.players, np.flatnonzero(held))]
    known = plays._replace(players=plays.players[~held], games=plays.games[~held], weights=plays.weights[~held])
    train = _matrix(known, players, catalogue)
    held_out = (
        f"Held out: a fifth of the games of each player who has {_FEWEST}, drawn at random (seed 0): "
        f"{held.sum():,} plays of {len(tested):,} players."
    )
    return Split(train, tested.astype(np.int32), wanted, [_of_train(train, path, plays.set_aside), held_out])


def _join(known: _Plays, users: dict[str, int], path: Path, test: Path) -> Split:
    players = len(users)
    asked = _read(test, users)
    if known.is_csv != asked.is_csv:
        raise BenchmarkError(f"{path} and {test} must have the same format, both CSV or both text.")
    catalogue = np.unique(known.games)
    train = _matrix(known, players, catalogue)
    is_new = ~np.isin(asked.games, catalogue)
    games = np.searchsorted(catalogue, asked.games)
    games[is_new] = len(catalogue) + np.unique(asked.games[is_new], return_inverse=True)[1]
    is_known = asked.players < players
    is_played = _are_in(train, asked.players, games, is_known & ~is_new)
    chosen = np.flatnonzero(is_known & ~is_played & (asked.weights > 0))
    tested = np.unique(asked.players[chosen])
    note = (
        f"To be found ({test.name}): {len(chosen):,} plays of {len(tested):,} players; {is_new[chosen].sum():,} of the "
        f"plays are of games that nobody plays in training, and count as missed. Left out: {is_played.sum():,} plays "
        f"that are in training too, and {len(np.unique(asked.players[~is_known])):,} players who are not in training."
    )
    return Split(
        train=train,
        players=tested.astype(np.int32),
        wanted=[games[of_one].astype(np.int32) for of_one in _by_player(asked.players, chosen)],
        notes=[_of_train(train, path, known.set_aside + asked.set_aside), note],
    )


def _are_in(
    train: sp.csr_array, players: Int64s, games: Int64s, candidates: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell which of some plays the matrix has; only `candidates` fit into it."""
    rows = np.repeat(np.arange(train.shape[0]), np.diff(train.indptr))
    there = rows * train.shape[1] + train.indices
    return candidates & np.isin(players * train.shape[1] + games, there)


def _by_player(players: Int64s, positions: Int64s) -> Iterator[Int64s]:
    """Cut positions, which come ordered by player, into those of each player."""
    starts = np.unique(players[positions], return_index=True)[1]
    return iter(np.split(positions, starts[1:]) if len(positions) else ())


def _matrix(plays: _Plays, players: int, catalogue: Int64s) -> sp.csr_array:
    indptr = np.concatenate([[0], np.cumsum(np.bincount(plays.players, minlength=players))])
    games = np.searchsorted(catalogue, plays.games)
    return sp.csr_array(
        (plays.weights, games.astype(np.int32), indptr.astype(np.int32)), shape=(players, len(catalogue))
    )


def _of_train(train: sp.csr_array, path: Path, set_aside: int) -> str:
    players, games = train.shape
    bad = f"; {set_aside:,} rows of the files are set aside, as `import` does" if set_aside else ""
    return f"Trained on ({path.name}): {train.nnz:,} plays of {players:,} players and {games:,} games{bad}."


def _read(path: Path, users: dict[str, int]) -> _Plays:
    """Read a file in either format; each player's row is looked up in `users`, where new ones are added."""
    first = _first_line(path)
    is_csv = b"user_id" in first.lower()
    if not is_csv and not _NUMBERS.fullmatch(first):
        raise ImportFailedError(
            f"{path} is neither a CSV file as `import` takes it, whose first line names user_id and game_id, nor text "
            "with a player's number and the numbers of the player's games on each line."
        )
    players, games, weights, set_aside = _from_csv(path, users) if is_csv else _from_text(path, users)
    if not len(games):
        raise ImportFailedError(f"{path} has players, but none of them has a game.")
    # What comes last of one player and game counts.
    ordered = np.lexsort((np.arange(len(games)), games, players))
    another = (np.diff(players[ordered]) != 0) | (np.diff(games[ordered]) != 0)
    last = ordered[np.append(another, np.array([True]))]
    return _Plays(is_csv, players[last], games[last], weights[last], set_aside)


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            first = next((line for line in file if line.strip()), None)
    except OSError as unreadable:
        raise ImportFailedError(f"{path} cannot be read: {unreadable.strerror}.") from unreadable
    if first is None:
        raise ImportFailedError(f"{path} is empty.")
    return first


_Columns = tuple[Int64s, Int64s, npt.NDArray[np.float32], int]


def _from_csv(path: Path, users: dict[str, int]) -> _Columns:
    players, games, hours, ratings = array("q"), array("q"), array("d"), array("d")
    plays = PlaysFile(path)
    for play in plays:
        players.append(users.setdefault(play.user_id, len(users)))
        games.append(play.game_id)
        hours.append(number(play.hours))
        ratings.append(number(play.rating))
    weights = PlayWeights().weigh(np.array(hours), np.array(ratings), np.full(len(hours), np.nan))
    return np.array(players), np.array(games), np.maximum(weights, 0), plays.set_aside


def _from_text(path: Path, users: dict[str, int]) -> _Columns:
    players, games = array("q"), array("q")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip() and not _NUMBERS.fullmatch(line):
                raise ImportFailedError(
                    f"{path} begins like a text split, but line {number} is not whole numbers with blanks between them."
                )
            user, *played = line.split() or [b""]
            if user:
                games.extend(map(int, played))
                players.extend([users.setdefault(str(int(user)), len(users))] * len(played))
    return np.array(players), np.array(games), np.ones(len(games), dtype=np.float32), 0
