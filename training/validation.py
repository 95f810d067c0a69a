"""A frame to valid rows and a report: every violation of every row at once, and bad rows set aside, never lost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import orjson
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from app.core.errors import ValidationFailedError
from app.core.settings import Settings
from training.records import RULES, Rule

_EXAMPLES = 3
_LONGEST_VALUE = 60  # characters of a wrong value that a report shows
_ROWS_SHOWN = 100  # in the database; all are in the report
_LONGEST_REASON = 200  # characters
_MOST_BYTES = 64 * 1024


def _column(rule: Rule) -> pa.Column:
    check = pa.Check(rule.holds, element_wise=True, error=rule.sentence)
    return pa.Column(object, check, nullable=not rule.required)


SCHEMA = pa.DataFrameSchema({rule.field: _column(rule) for rule in RULES})


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

    def to_document(self) -> dict[str, Any]:
        """Write the row for the database."""
        reason = "; ".join(self.reasons)
        return {"row": self.row, "game_id": self.game_id, "name": self.name, "reason": reason[:_LONGEST_REASON]}


class RecordCounts(NamedTuple):
    """How many records there were, how many were used, and how many were bad."""

    rows: int
    valid: int
    bad: int


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

    @property
    def counts(self) -> RecordCounts:
        """Count the records."""
        return RecordCounts(self.rows, self.valid, self.bad)

    def to_dict(self) -> dict[str, Any]:
        """Write the report for machines."""
        return asdict(self)

    def to_document(self) -> dict[str, Any]:
        """Write the report for the database: not every row set aside, in `_MOST_BYTES` at most.

        Values of records are written as in the report, as Python would write them.
        """
        head = {
            **{name: getattr(self, name) for name in ("rows", "valid", "repeated", "bad", "stopped_because")},
            "reasons": [
                {"reason": f"{one.field}: {one.rule}", "rows": one.rows, "examples": one.examples}
                for one in self.violations
            ],
        }
        shown = [row.to_document() for row in self.set_aside[:_ROWS_SHOWN]]
        while len(orjson.dumps({**head, "set_aside": shown})) > _MOST_BYTES:
            shown = shown[: len(shown) // 2]
        return {**head, "set_aside": shown}

    def raise_if_stopped(self) -> None:
        """Raise `ValidationFailedError` where the rows are not good enough to train on."""
        if self.stopped_because:
            raise ValidationFailedError(self.stopped_because)


# With pyarrow installed pandas would keep texts as UTF-8, which a record may break.
@pd.option_context("mode.string_storage", "python")
def validate(frame: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, ValidationReport]:
    """Check every row of `ingest.to_frame`'s frame; returns the valid rows, one a game, with clean types, and a report.

    Where a game came several times, the valid row updated last is used.
    """
    failures = _failures(frame)
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
        Violation(str(field), str(rule), len(cases), [_short(value) for value in cases["value"][:_EXAMPLES]])
        for (field, rule), cases in failures.groupby(["field", "rule"], sort=False)
    ]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _set_aside(frame: pd.DataFrame, failures: pd.DataFrame) -> list[SetAside]:
    reasons: dict[int, list[str]] = {}
    for field, rule, index in zip(failures["field"], failures["rule"], failures["index"], strict=True):
        reasons.setdefault(int(index), []).append(f"{field}: {rule}")
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
