"""Patience with a database that is away for a moment: a run of an hour does not fail for a restart of the server."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from app.core.errors import DatabaseError

SECONDS = 120.0
PAUSE_SECONDS = 1.0

_Result = TypeVar("_Result")

log = structlog.get_logger(__name__)


def patiently(ask: Callable[[], _Result]) -> _Result:
    """Ask the database again until it answers, for `SECONDS` at most; then its `DatabaseError` is raised."""
    retrying = Retrying(
        retry=retry_if_exception_type(DatabaseError),
        wait=wait_fixed(PAUSE_SECONDS),
        stop=stop_after_delay(SECONDS),
        before_sleep=_tell_once,
        reraise=True,
    )
    return retrying(ask)


def _tell_once(state: RetryCallState) -> None:
    if state.attempt_number == 1 and state.outcome:
        log.warning("the database is away; waiting for it", reason=str(state.outcome.exception()))
