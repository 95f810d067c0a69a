"""Plays from a CSV file: `user_id,game_id[,hours][,rating][,at]`, any order, with a header."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from app.core.errors import ImportFailedError
from app.core.histories import MAX_GAME_ID, MAX_HOURS, MAX_RATING, MAX_USER_ID_LENGTH, Play
from app.core.interactions import InteractionStore, of_play

REQUIRED = ("user_id", "game_id")
OPTIONAL = ("hours", "rating", "at")
_DIGITS = len(str(MAX_GAME_ID))


@dataclass
class ImportSummary:
    """What came of an import: rows written, and the rows set aside with line number and reason."""

    rows: int = 0
    players: set[str] = field(default_factory=set)
    games: set[int] = field(default_factory=set)
    set_aside: list[tuple[int, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Write the summary for machines: counts, and every row set aside."""
        return {
            "rows": self.rows,
            "players": len(self.players),
            "games": len(self.games),
            "set_aside": [{"line": line, "reason": reason} for line, reason in self.set_aside],
        }


def import_plays(path: Path, store: InteractionStore) -> ImportSummary:
    """Write the valid rows of a file to the store, all in one transaction: a file imported twice counts once.

    A row replaces an earlier one of the same player and game. Raises `ImportFailedError`, and writes nothing, where the
    file cannot be read to its end, lacks a column, or has no valid row.
    """
    summary = ImportSummary()
    store.write([one for play in read_plays(path, summary) for one in of_play(play)])
    return summary


def read_plays(path: Path, summary: ImportSummary) -> Iterator[Play]:
    """Read the valid rows of a file, counting them and the others; raises `ImportFailedError` as `import_plays`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _plays(file, path, summary)
    except OSError as unreadable:
        raise ImportFailedError(f"{path} cannot be read: {unreadable.strerror}.") from unreadable
    except (UnicodeDecodeError, csv.Error) as unreadable:
        raise ImportFailedError(f"{path} is no CSV file in UTF-8: {unreadable}.") from unreadable


def _plays(file: Iterable[str], path: Path, summary: ImportSummary) -> Iterator[Play]:
    rows = csv.DictReader(file)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in rows.fieldnames]
    if missing:
        raise ImportFailedError(
            f"{path} has no column {' and no column '.join(missing)}; its first line must name the columns "
            f"{','.join(REQUIRED)} and may name {','.join(OPTIONAL)}.",
        )
    for row in rows:
        try:
            play = _play(row)
        except ValueError as wrong:
            summary.set_aside.append((rows.line_num, str(wrong)))
            continue
        summary.rows += 1
        summary.players.add(play.user_id)
        summary.games.add(play.game_id)
        yield play
    if not summary.rows:
        reason = f"; line {summary.set_aside[0][0]}: {summary.set_aside[0][1]}" if summary.set_aside else ""
        raise ImportFailedError(f"{path} has no valid row{reason}.")


def _play(row: Mapping[str | None, object]) -> Play:
    if None in row:
        raise ValueError("more fields than the header names")
    # A row that is too short has None for what it lacks.
    text = {name: str(value or "").strip() for name, value in row.items()}
    return Play(
        user_id=_user_id(str(row["user_id"] or "")),
        game_id=_game_id(text["game_id"]),
        hours=_number("hours", text.get("hours", ""), MAX_HOURS),
        rating=_number("rating", text.get("rating", ""), MAX_RATING),
        at=_time(text.get("at", "")),
    )


def _user_id(text: str) -> str:
    if not 1 <= len(text) <= MAX_USER_ID_LENGTH:
        raise ValueError(f"user_id must have 1 to {MAX_USER_ID_LENGTH} characters")
    return text


def _game_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and 1 <= int(text) <= MAX_GAME_ID):
        raise ValueError("game_id must be a whole number above 0, RAWG's id of the game")
    return int(text)


def _number(name: str, text: str, most: float) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:g}")
    return value


def _time(text: str) -> float | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("at must be a time as in 2026-01-31T20:15:00Z") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > datetime.now(UTC):
        raise ValueError("at must not be in the future")
    return at.timestamp()
