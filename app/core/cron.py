"""When the schedule says that a run is due."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_FIELDS = 5
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as cron numbers them; APScheduler begins with Monday
_LONGEST = timedelta(days=3 * 366)


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
    except (ValueError, IndexError):
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


def _named(weekday: str) -> str:
    """Name the days, but for the number of a step: `1-5` is `mon-fri`."""
    parts = []
    for part in weekday.split(","):
        days, slash, step = part.partition("/")
        first, dash, last = (re.sub(r"^[0-7]$", lambda day: _DAYS[int(day[0])], one) for one in _ends(days))
        if dash and first == "sun" and last != "sun":
            parts += [f"sun{slash}{step}", f"mon-{last}{slash}{step}"]  # APScheduler's week begins with Monday
        else:
            parts.append(f"{first}{dash}{last}{slash}{step}")
    return ",".join(parts)


def _ends(days: str) -> tuple[str, str, str]:
    return days.partition("-")
