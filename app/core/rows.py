"""One row as others write it, in a file or in a request: its values checked, and what they say as interactions.

Every check takes a value as CSV (text), JSON or Parquet gives it, and raises `ValueError` with a reason for people.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from app.core.histories import MAX_GAME_ID, MAX_HOURS, MAX_RATING, MAX_USER_ID_LENGTH, Play
from app.core.interactions import Interaction, Kind, of_play

REQUIRED = ("user_id", "game_id")
OPTIONAL = ("kind", "hours", "rating", "at", "event_id", "accumulate")
COLUMNS = (*REQUIRED, *OPTIONAL)
MAX_EVENT_ID_LENGTH = 128

_DIGITS = len(str(MAX_GAME_ID))
_CLOCKS_DIFFER = 60.0  # seconds by which a client's clock may be fast
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
# What can be imported: `open` says nothing of a taste, and no file has the answers that it belongs to.
KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind if kind is not Kind.OPEN}


def interactions_of(row: Mapping[str, object], now: float) -> list[Interaction]:
    """Check the values of a row and say what they mean; `now` is in seconds since 1970.

    A row without a kind is a play, or a rating where it has no hours, or both.
    """
    user, game = user_id(row.get("user_id")), game_id(row.get("game_id"))
    played, rated = hours(row.get("hours")), rating(row.get("rating"))
    when, event, kind = at(row.get("at"), now), event_id(row.get("event_id")), _kind(row.get("kind"))
    accumulate = _flag(row.get("accumulate"))
    if accumulate and event is None:
        raise ValueError("a row with accumulate needs an event_id, so that it counts once")
    if accumulate and (played is None or kind not in {None, Kind.PLAY}):
        raise ValueError("accumulate adds hours to a play, and this row has none")
    if kind is None:
        meant = of_play(Play(user, game, played, rated, when))
    else:
        meant = [Interaction(user, game, kind, _value(kind, played, rated), when)]
    if event is None:
        return meant
    return [
        Interaction(user, game, one.kind, one.value, when, accumulate and one.kind is Kind.PLAY, event) for one in meant
    ]


def user_id(value: object) -> str:
    """Check a player's name, which is taken as it is; a whole number is its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _name("user_id", value, MAX_USER_ID_LENGTH)


def game_id(value: object) -> int:
    """Check a game's id."""
    if isinstance(value, str):
        value = value.strip()
        if value.isascii() and value.isdigit() and len(value) <= _DIGITS:
            value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_GAME_ID:
        raise ValueError("game_id must be a whole number above 0, RAWG's id of the game")
    return value


def hours(value: object) -> float | None:
    """Check the hours of a play; None where there are none."""
    return _number("hours", value, MAX_HOURS)


def rating(value: object) -> float | None:
    """Check a rating; None where there is none."""
    return _number("rating", value, MAX_RATING)


def at(value: object, now: float) -> float | None:
    """Read a time, by itself in UTC, as seconds since 1970; None where there is none."""
    if _is_missing(value):
        return None
    seconds = _moment(value).timestamp()
    if seconds > now + _CLOCKS_DIFFER:
        raise ValueError("at must not be in the future")
    if seconds < 0:
        raise ValueError("at must not be before 1970")
    return seconds


def event_id(value: object) -> str | None:
    """Check the client's own name of an event; None where there is none."""
    return None if value is None or value == "" else _name("event_id", value, MAX_EVENT_ID_LENGTH)


def _name(what: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise ValueError(f"{what} must have 1 to {longest} characters")
    if not value.isprintable():  # nearly all are, and this is the fastest look
        if _CONTROL.search(value):
            raise ValueError(f"{what} must have no control characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{what} must be UTF-8") from None
    return value


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(what: str, value: object, most: float) -> float | None:
    if _is_missing(value):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{what} must be a number from 0 to {most:.0f}")
    return math.fabs(value)  # a zero has no sign


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if not isinstance(moment, datetime):
        raise ValueError("at must be a time as in 2026-01-31T20:15:00Z")  # noqa: TRY004  # a reason like all others
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kind(value: object) -> Kind | None:
    if _is_missing(value):
        return None
    kind = KINDS.get(value.strip().lower()) if isinstance(value, str) else None
    if kind is None:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    return kind


def _flag(value: object) -> bool:
    if _is_missing(value) or value is False:
        return False
    text = value.strip().lower() if isinstance(value, str) else value
    if text is not True and text not in (*_TRUE, *_FALSE):
        raise ValueError("accumulate must be true or false")
    return text is True or text in _TRUE


def _value(kind: Kind, played: float | None, rated: float | None) -> float | None:
    """Choose the value of a kind, and see that the row has no other: what would be lost in silence is an error."""
    if kind is Kind.RATING and rated is None:
        raise ValueError("a row of kind rating needs a rating")
    if rated is not None and kind is not Kind.RATING:
        raise ValueError(f"a row of kind {kind} has no rating; a row without a kind may have both hours and rating")
    if played is not None and kind is not Kind.PLAY:
        raise ValueError(f"a row of kind {kind} has no hours")
    return rated if kind is Kind.RATING else played
