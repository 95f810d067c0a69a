"""When the schedule says that a run is due."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_FIELDS = 5
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as cron numbers them; APScheduler begins with Monday


def check(expression: str) -> None:
    """Raise `ValueError` where an expression is not one that `trigger` takes."""
    trigger(expression, "UTC")


def trigger(expression: str, timezone: str, jitter: int = 0) -> CronTrigger:
    """Make the trigger of a cron expression of five fields, with days of the week as cron numbers them.

    Each time is shifted later by up to `jitter` seconds.
    """
    fields = expression.split()
    if len(fields) != _FIELDS:
        raise ValueError("must have five fields: minute, hour, day, month, day of the week, as in 0 4 * * *")
    minute, hour, day, month, weekday = fields
    try:
        return CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month.lower(),
            day_of_week=_named(weekday.lower()),
            timezone=ZoneInfo(timezone),
            jitter=jitter or None,
        )
    except ValueError:
        raise ValueError("must be a cron expression, as in 0 4 * * * or 30 5 * * mon") from None


def last_due(expression: str, timezone: str, now: datetime, since: datetime) -> datetime | None:
    """Tell the last time after `since` and up to `now` at which a run was due; None where there was none."""
    times = trigger(expression, timezone)
    window = timedelta(minutes=1)
    while True:  # ever longer windows that end now, so that few times are gone through
        start = max(since, now - window)
        due, found = times.get_next_fire_time(None, start + timedelta(microseconds=1)), None
        while due is not None and due <= now:
            found, due = due, times.get_next_fire_time(due, due + timedelta(microseconds=1))
        if found or start == since:
            return found
        window *= 8


def _named(weekdays: str) -> str:
    """Name each day of a field: a number means another day to cron than to APScheduler, whose week begins on Monday."""
    if weekdays == "*":
        return weekdays
    days = {day for part in weekdays.split(",") for day in _days(part)}
    return ",".join(sorted({_DAYS[day] for day in days}, key=_DAYS.index))


def _days(part: str) -> range:
    """Tell the numbers of the days of one part, as in `mon-fri`, `1-5/2`, `*/2` or `sun`; raises `ValueError`."""
    days, _, step = part.partition("/")
    if days == "*":
        first, last = 0, len(_DAYS) - 2
    else:
        start, dash, end = days.partition("-")
        first = _number(start)
        last = _number(end) if dash else first
    if last < first:
        raise ValueError(part)
    return range(first, last + 1, int(step or 1))


def _number(day: str) -> int:
    number = int(day) if day.isdigit() else _DAYS.index(day)
    if number >= len(_DAYS):
        raise ValueError(day)
    return number
