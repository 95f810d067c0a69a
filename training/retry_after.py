"""What a failed request says of the next one."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def seconds(retry_after: str | None) -> float | None:
    """Read a `Retry-After` header, seconds or a date; None where it says nothing of use."""
    if retry_after is None:
        return None
    try:
        if retry_after.strip().isdecimal():
            return float(retry_after)
        at = parsedate_to_datetime(retry_after).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def what_happened(failed: Exception) -> str:
    """Name a failure without its own text, which may hold the URL, and so the key."""
    if isinstance(failed, httpx.TimeoutException | TimeoutError):
        return "no answer in time"
    return "no connection" if isinstance(failed, httpx.ConnectError) else "a broken answer"
