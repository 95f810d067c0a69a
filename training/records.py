"""One record of RAWG's list to one flat row, whatever of RAWG's two shapes the record has, and what is wrong with it.

Flattening judges nothing: a value of the wrong type goes into the row as it is, for the rules to name.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from app.core.histories import MAX_GAME_ID

Row = dict[str, Any]

# RAWG's own names, for facts that are taken as they come.
_AS_RECEIVED = (
    "slug",
    "name",
    "released",
    "rating",
    "ratings_count",
    "reviews_count",
    "added",
    "metacritic",
    "playtime",
    "background_image",
    "updated",
    "added_by_status",
    "ratings",
)
_FIRST_RELEASE = 1940  # the earliest electronic games are of the forties
_MOST_HOURS = 1_000_000  # of average play: a century
_SLUG = re.compile(r"[^\s/?#]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON may hold one; UTF-8 may not


class Rule(NamedTuple):
    """What a field must be: a sentence for people, and the test of a value that is not null."""

    field: str
    sentence: str
    holds: Callable[[Any], bool]
    required: bool = False


class RecordCounts(NamedTuple):
    """How many records there were, how many were used, and how many were bad."""

    rows: int
    valid: int
    bad: int


def flatten(record: object) -> Row:
    """Lay a record out as a row of one value a fact; a fact that is missing is null, a missing list empty.

    `added_difference` and `reviews_difference` are what RAWG documents to be 0: a total less the sum of its parts.
    """
    facts: Mapping[str, object] = record if isinstance(record, dict) else {}
    return {
        "game_id": facts.get("id"),
        **{name: _told(facts.get(name)) for name in _AS_RECEIVED},
        "genres": _names(facts.get("genres")),
        "platforms": _names(facts.get("platforms"), "platform"),
        "tags": _names(_in_english(facts.get("tags"))),
        "esrb_rating": _told(_name(facts.get("esrb_rating"))),
        "added_difference": _difference(facts.get("added"), _statuses(facts.get("added_by_status"))),
        "reviews_difference": _difference(facts.get("reviews_count"), _counts(facts.get("ratings"))),
    }


def is_valid(row: Row) -> bool:
    """Tell whether a row keeps every rule."""
    return all(rule.holds(row[rule.field]) if row[rule.field] is not None else not rule.required for rule in RULES)


def added(record: object) -> int | None:
    """Count the people who have added a game, which RAWG's list is ordered by; None where the record does not tell."""
    value: Any = record.get("added") if isinstance(record, dict) else None
    return int(value) if _is_count(value) else None


def _told(value: object) -> object:
    """Take an empty text for a fact that is missing."""
    return None if value == "" else value


def _name(value: object) -> object:
    """Take the name of `{"name": ...}`; anything else is left as it is."""
    return value["name"] if isinstance(value, dict) and "name" in value else value


def _names(values: object, within: str | None = None) -> object:
    """Take the names of a list of `{"name": ...}`, each maybe `within` a field.

    No list is an empty one, and an entry without a name says nothing.
    """
    if values is None:
        return []
    if not isinstance(values, list):
        return values
    inner = [value[within] if within and isinstance(value, dict) and within in value else value for value in values]
    names = [name for name in map(_name, inner) if _told(name) is not None]
    return list(dict.fromkeys(names)) if all(isinstance(name, str) for name in names) else names


def _in_english(tags: object) -> object:
    """Leave out the tags in other languages, which say the same again."""
    if not isinstance(tags, list):
        return tags
    return [tag for tag in tags if not isinstance(tag, dict) or tag.get("language", "eng") == "eng"]


def _statuses(statuses: object) -> list[object] | None:
    return list(statuses.values()) if isinstance(statuses, dict) else None


def _counts(ratings: object) -> list[object] | None:
    if not isinstance(ratings, list):
        return None
    return [rating.get("count") if isinstance(rating, dict) else None for rating in ratings]


def _difference(total: Any, parts: list[Any] | None) -> int | None:
    """Subtract; null where the total is no count, or the parts are not told, as they are at times."""
    if not parts or not _is_count(total) or not all(map(_is_count, parts)):
        return None
    return int(total - sum(parts))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number_between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and low <= value <= high


def _is_count(value: Any) -> bool:
    return _is_number(value) and value == int(value) and 0 <= value <= MAX_GAME_ID


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != "" and _LONE_SURROGATE.search(value) is None


def _is_slug(value: Any) -> bool:
    return _is_text(value) and _SLUG.fullmatch(value) is not None


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return False
    return parsed.isoformat() == value and parsed.year >= _FIRST_RELEASE


def _is_web_address(value: Any) -> bool:
    return _is_text(value) and value.startswith(("http://", "https://"))


def _is_list_of_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_GAME_ID


def _are_counts(parts: list[object] | None) -> bool:
    return parts is not None and all(map(_is_count, parts))


RULES = (
    Rule("game_id", "must be a whole number above 0", _is_id, required=True),
    Rule("slug", "must be a text without spaces and slashes", _is_slug, required=True),
    Rule("name", "must be a text that is not empty", _is_text, required=True),
    Rule("released", f"must be a date, YYYY-MM-DD, from {_FIRST_RELEASE} on", _is_date),
    Rule("rating", "must be a number from 0 to 5", _number_between(0, 5)),
    Rule("ratings_count", "must be a whole number from 0 on", _is_count),
    Rule("reviews_count", "must be a whole number from 0 on", _is_count),
    Rule("added", "must be a whole number from 0 on", _is_count),
    Rule("metacritic", "must be a number from 0 to 100", _number_between(0, 100)),
    Rule("playtime", "must be a number of hours from 0 on", _number_between(0, _MOST_HOURS)),
    Rule("background_image", "must be a web address", _is_web_address),
    Rule("genres", "must be a list of names", _is_list_of_names),
    Rule("platforms", "must be a list of names", _is_list_of_names),
    Rule("tags", "must be a list of names", _is_list_of_names),
    Rule("esrb_rating", "must be a name", _is_text),
    Rule("added_by_status", "must be counts by status", lambda value: _are_counts(_statuses(value))),
    Rule("ratings", "must be counts by rating", lambda value: _are_counts(_counts(value))),
    Rule("added_difference", "added must be the sum of added_by_status", lambda value: value == 0),
    Rule("reviews_difference", "reviews_count must be the sum of the counts in ratings", lambda value: value == 0),
)
