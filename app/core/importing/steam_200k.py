"""The public data set steam-200k as it is: `user_id,"title",purchase|play,hours,0` on each line, without a header.

A purchase is a play of no hours: whoever owns a game needs no recommendation of it, and it says the least of a taste.
It never takes hours away that are known. What a player's several plays of one game say (its single-player and
multiplayer parts, its editions) is added up, a repeated line once.
"""

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import BinaryIO, NamedTuple

from app.core.errors import ImportFailedError
from app.core.importing.reading import Read, lines
from app.core.interactions import Interaction, Kind
from app.core.rows import hours, user_id
from app.core.titles import Titles

MAX_TITLE_LENGTH = 200

_FIELDS = 4  # and a 0 at the end, which says nothing
_FIRST_LINE = re.compile(r'[^,"]+,("([^"]|"")*"|[^,"]*),(purchase|play),[^,]+(,[^,]*)?\s*')
_TITLES_KEPT = 20_000


class _Line(NamedTuple):
    read: Read
    user_id: str = ""
    title: str = ""
    game_id: int = 0
    hours: float | None = None  # None for a purchase


def is_steam_200k(first_line: str) -> bool:
    """Tell by its first line whether a file is of this format."""
    return _FIRST_LINE.fullmatch(first_line) is not None


def read_steam_200k(file: BinaryIO, name: str, titles: Titles) -> Iterator[Read]:
    """Read the data set, its titles translated."""
    # The rows of one player stand together; where they do not, what comes last of a player and game counts.
    for _, one_player in groupby(_lines(file, name, titles), key=lambda line: line.user_id):
        yield from _put_together(one_player)


def _put_together(found: Iterator[_Line]) -> Iterator[Read]:
    plays: dict[int, dict[tuple[str, float], None]] = {}
    owned: set[int] = set()
    for read, user, title, game, played in found:
        if not game:
            yield read
        elif played is None:
            yield read._replace(interactions=() if game in owned else (owned_game(user, game),))
            owned.add(game)
        else:
            known = plays.setdefault(game, {})
            known[title, played] = None
            whole = Interaction(user, game, Kind.PLAY, sum(one for _, one in known))
            yield read._replace(interactions=(whole,))


def owned_game(user: str, game: int) -> Interaction:
    """Say that a player has a game: no hours, added to those that are known."""
    return Interaction(user, game, Kind.PLAY, 0.0, accumulate=True)


def _lines(file: BinaryIO, name: str, titles: Titles) -> Iterator[_Line]:
    find = lru_cache(_TITLES_KEPT)(titles.find)
    rows = csv.reader(lines(file, name))
    try:
        for row in filter(None, rows):
            done, number = file.tell(), rows.line_num
            try:
                user, title, played = _checked(row)
            except ValueError as wrong:
                yield _Line(Read(done, number, reason=str(wrong)))
                continue
            game = find(title)
            if game is None:
                yield _Line(Read(done, number, title=title), user)
            else:
                yield _Line(Read(done, number), user, title, game, played)
    except csv.Error as broken:
        raise ImportFailedError(f"{name} is no CSV file: line {rows.line_num}: {broken}.") from broken


def _checked(row: list[str]) -> tuple[str, str, float | None]:
    if not _FIELDS <= len(row) <= _FIELDS + 1:
        raise ValueError("the line must be user_id,title,purchase or play,hours,0")
    title, behaviour = row[1].strip(), row[2].strip()
    if not 1 <= len(title) <= MAX_TITLE_LENGTH:
        raise ValueError(f"the title must have 1 to {MAX_TITLE_LENGTH} characters")
    if behaviour not in {"purchase", "play"}:
        raise ValueError("the third field must be purchase or play")
    return user_id(row[0]), title, (hours(row[3]) or 0.0) if behaviour == "play" else None
