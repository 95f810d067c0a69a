"""A frame to valid rows and a report: every violation of every row at once, and bad rows set aside, never lost."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from app.core.errors import ValidationFailedError
from app.core.interactions import MAX_GAME_ID
from app.core.settings import Settings

_EXAMPLES = 3
_LONGEST_VALUE = 60  # characters of a wrong value that a report shows
_SLUG = re.compile(r"[^\s/?#]+")
_FIRST_RELEASE = 1950  # the earliest games on RAWG are of the fifties
_MOST_HOURS = 1_000_000  # of average play: a century

# A value and how a person would write what it must be.
_Test = Callable[[Any], bool]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number_between(low: float, high: float) -> _Test:
    return lambda value: _is_number(value) and low <= value <= high


def _is_count(value: object) -> bool:
    return _is_number(value) and value == int(value) and 0 <= value <= MAX_GAME_ID  # type: ignore[call-overload,operator]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return False
    return parsed.isoformat() == value and parsed.year >= _FIRST_RELEASE


def _is_list_of_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_REQUIRED: Mapping[str, tuple[str, _Test]] = {
    "game_id": ("must be a whole number above 0", lambda value: type(value) is int and 0 < value <= MAX_GAME_ID),
    "slug": (
        "must be a text without spaces and slashes",
        lambda value: _is_text(value) and bool(_SLUG.fullmatch(value)),
    ),
    "name": ("must be a text that is not empty", _is_text),
}
_OPTIONAL: Mapping[str, tuple[str, _Test]] = {
    "released": (f"must be a date, YYYY-MM-DD, from {_FIRST_RELEASE} on", _is_date),
    "rating": ("must be a number from 0 to 5", _number_between(0, 5)),
    "ratings_count": ("must be a whole number from 0 on", _is_count),
    "reviews_count": ("must be a whole number from 0 on", _is_count),
    "added": ("must be a whole number from 0 on", _is_count),
    "metacritic": ("must be a number from 0 to 100", _number_between(0, 100)),
    "playtime": ("must be a number of hours from 0 on", _number_between(0, _MOST_HOURS)),
    "background_image": (
        "must be a web address",
        lambda value: _is_text(value) and value.startswith(("http://", "https://")),
    ),
    "genres": ("must be a list of names", _is_list_of_names),
    "platforms": ("must be a list of names", _is_list_of_names),
    "tags": ("must be a list of names", _is_list_of_names),
    "esrb_rating": ("must be a name", _is_text),
    "added_by_status": (
        "must be counts by status",
        lambda value: isinstance(value, dict) and all(map(_is_count, value.values())),
    ),
    "ratings": ("must be counts by rating", lambda value: _ratings_total(value) is not None),
    # Differences between what should be equal; `_with_identities` computes them.
    "added_difference": ("added is not the sum of added_by_status", lambda value: value == 0),
    "reviews_difference": ("reviews_count is not the sum of the counts in ratings", lambda value: value == 0),
}
_IDENTITIES = ("added_difference", "reviews_difference")


def _ratings_total(ratings: object) -> int | None:
    if not isinstance(ratings, list):
        return None
    counts = [rating.get("count") if isinstance(rating, dict) else None for rating in ratings]
    return sum(counts) if all(map(_is_count, counts)) else None  # type: ignore[arg-type]  # just checked


def _status_total(statuses: object) -> int | None:
    return sum(statuses.values()) if isinstance(statuses, dict) and all(map(_is_count, statuses.values())) else None


def _column(rule: tuple[str, _Test], *, required: bool) -> pa.Column:
    sentence, test = rule
    check = pa.Check(test, element_wise=True, error=sentence)
    return pa.Column(object, check, nullable=not required, required=True)


SCHEMA = pa.DataFrameSchema(
    {
        **{name: _column(rule, required=True) for name, rule in _REQUIRED.items()},
        **{name: _column(rule, required=False) for name, rule in _OPTIONAL.items()},
    },
)


@dataclass(frozen=True)
class Violation:
    """One rule that rows broke: which, how many, and the first values that did."""

    field: str
    rule: str
    rows: int
    examples: list[str]


@dataclass(frozen=True)
class SetAside:
    """One row that is not used, and why."""

    row: int
    game_id: str
    name: str
    reasons: list[str]


@dataclass(frozen=True)
class ValidationReport:
    """What was looked at, what is used, and everything that was wrong.

    `rows` = `valid` + `repeated` + `bad`; a repeated row is one whose game stands in a better or later row too.
    `stopped_because` says why nothing may be trained on these rows; None where it may.
    """

    rows: int
    valid: int
    repeated: int
    bad: int
    violations: list[Violation]
    set_aside: list[SetAside]
    stopped_because: str | None

    def to_dict(self) -> dict[str, Any]:
        """Write the report for machines."""
        return asdict(self)

    def raise_if_stopped(self) -> None:
        """Raise `ValidationFailedError` where the rows are not good enough to train on."""
        if self.stopped_because:
            raise ValidationFailedError(self.stopped_because)


def validate(frame: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, ValidationReport]:
    """Check every row of `ingest.to_frame`'s frame; returns the valid rows, one a game, with clean types, and a report.

    Where a game came several times, the valid row updated last is used.
    """
    failures = _failures(_with_identities(frame))
    bad = frame.index.isin(failures["index"])
    good = frame[~bad]
    valid = good.sort_values("updated", key=_as_text, kind="stable")
    valid = _clean(valid.drop_duplicates("game_id", keep="last").sort_index())
    report = ValidationReport(
        rows=len(frame),
        valid=len(valid),
        repeated=len(good) - len(valid),
        bad=int(bad.sum()),
        violations=_violations(failures),
        set_aside=_set_aside(frame, failures),
        stopped_because=_why_stop(len(frame), int(bad.sum()), len(valid), settings),
    )
    return valid, report


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map(lambda value: value if isinstance(value, str) else "")


def _with_identities(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the differences between what RAWG documents to be equal; null where a side is not told."""
    added = zip(frame["added"], map(_status_total, frame["added_by_status"]), strict=True)
    reviews = zip(frame["reviews_count"], map(_ratings_total, frame["ratings"]), strict=True)
    return frame.assign(
        added_difference=pd.Series([_difference(*pair) for pair in added], frame.index, dtype=object),
        reviews_difference=pd.Series([_difference(*pair) for pair in reviews], frame.index, dtype=object),
    )


def _difference(total: object, of_parts: int | None) -> int | None:
    """Subtract; null where the total is no count, or no part is told, as RAWG does at times."""
    return int(total) - of_parts if of_parts and _is_count(total) else None  # type: ignore[call-overload]


def _failures(frame: pd.DataFrame) -> pd.DataFrame:
    """List every broken rule of every row: columns field, rule, value, index."""
    try:
        SCHEMA.validate(frame, lazy=True)
    except SchemaErrors as broken:
        cases = broken.failure_cases
        rule = cases["check"].where(cases["check"] != "not_nullable", "is missing")
        return pd.DataFrame(
            {"field": cases["column"], "rule": rule, "value": cases["failure_case"], "index": cases["index"]},
        )
    return pd.DataFrame(columns=["field", "rule", "value", "index"])


def _violations(failures: pd.DataFrame) -> list[Violation]:
    return [
        Violation(_shown(str(field)), str(rule), len(cases), [_short(value) for value in cases["value"][:_EXAMPLES]])
        for (field, rule), cases in failures.groupby(["field", "rule"], sort=False)
    ]


def _shown(field: str) -> str:
    return {"added_difference": "added", "reviews_difference": "reviews_count"}.get(field, field)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _set_aside(frame: pd.DataFrame, failures: pd.DataFrame) -> list[SetAside]:
    reasons: dict[int, list[str]] = {}
    for field, rule, index in zip(failures["field"], failures["rule"], failures["index"], strict=True):
        reasons.setdefault(int(index), []).append(f"{_shown(field)}: {rule}")
    return [
        SetAside(row, _short(frame["game_id"][row]), _short(frame["name"][row]), found)
        for row, found in sorted(reasons.items())
    ]


def _why_stop(rows: int, bad: int, valid: int, settings: Settings) -> str | None:
    if not rows:
        return "There are no records of games at all."
    if bad > settings.validation_max_bad_share * rows:
        return (
            f"{bad} of {rows} records of games are bad, more than the share of "
            f"{settings.validation_max_bad_share} that is allowed (VALIDATION_MAX_BAD_SHARE)."
        )
    if valid < settings.validation_min_games:
        return f"Only {valid} valid games, fewer than the {settings.validation_min_games} of VALIDATION_MIN_GAMES."
    return None


def _clean(valid: pd.DataFrame) -> pd.DataFrame:
    """Give the columns their final types; what a catalogue cannot leave out and RAWG did is 0."""
    whole = {name: _whole(valid[name]) for name in ("ratings_count", "reviews_count", "added", "playtime")}
    rating = pd.Series([float(value or 0) for value in valid["rating"]], valid.index, dtype=float)
    metacritic = [None if value is None else round(value) for value in valid["metacritic"]]
    return valid.assign(**whole, rating=rating, metacritic=pd.Series(metacritic, valid.index, dtype=object))


def _whole(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series([round(value or 0) for value in column], column.index, dtype="int64")
