"""When a run is due."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.cron import check, last_due, trigger

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 4 * * *", "2026-11-24T04:00"),
        ("*/15 * * * *", "2026-11-23T12:15"),
        ("30 5 * * 1", "2026-11-30T05:30"),
        ("30 5 * * mon", "2026-11-30T05:30"),
        ("30 5 * * 0", "2026-11-29T05:30"),
        ("30 5 * * 7", "2026-11-29T05:30"),
        ("30 5 * * 1-5", "2026-11-24T05:30"),
        ("30 5 * * 0-2", "2026-11-24T05:30"),
        ("30 5 * * 6,0", "2026-11-28T05:30"),
        ("30 5 * * */2", "2026-11-24T05:30"),
        ("30 5 * * 1-5/4", "2026-11-27T05:30"),
        ("30 5 * * sun,sat", "2026-11-28T05:30"),
        ("0 0 1 jan *", "2027-01-01T00:00"),
    ],
)
def test_expressions_mean_what_they_mean_to_cron(expression: str, expected: str):
    due = trigger(expression, "UTC").get_next_fire_time(None, MONDAY + timedelta(seconds=1))
    assert due is not None
    assert f"{due:%Y-%m-%dT%H:%M}" == expected


def test_the_hour_is_that_of_the_time_zone():
    due = trigger("0 4 * * *", "Asia/Seoul").get_next_fire_time(None, MONDAY)
    assert due is not None
    assert due.astimezone(UTC) == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 4 * *",
        "0 4 * * * *",
        "61 4 * * *",
        "0 4 * * someday",
        "0 4 * * 8",
        "0 4 * * 5-1",
        "0 4 * * */0",
        "a b c d e",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str):
    with pytest.raises(ValueError, match="must"):
        check(expression)


def test_the_last_time_that_was_due_is_found():
    def last(expression: str, hours: float) -> str | None:
        due = last_due(expression, "UTC", MONDAY, MONDAY - timedelta(hours=hours))
        return f"{due:%d %H:%M}" if due else None

    assert last("*/5 * * * *", 1) == "23 12:00"
    assert last("7 * * * *", 1) == "23 11:07"
    assert last("0 4 * * *", 1) is None
    assert last("0 4 * * *", 8.5) == "23 04:00"
    assert last("0 4 1 * *", 24 * 400) == "01 04:00"
    assert last("0 12 * * *", 0) is None
