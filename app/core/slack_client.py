"""One request to a Slack webhook. Imports Slack's library, so it is imported when there is something to send."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    FixedValueRetryIntervalCalculator,
    RateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.webhook import WebhookClient

TIMEOUT = 5  # seconds to connect, and between two parts of the answer
BETWEEN_TRIES = 0.5  # seconds
LONGEST_RETRY_AFTER = 2  # seconds that are waited at once; where Slack asks for more, the message is sent later

_SERVER_ERRORS = {
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True)
class Answer:
    """What Slack said; `retry_after` is how many seconds it asks to wait."""

    status: int
    said: str
    retry_after: int | None


class _RateLimited(RateLimitErrorRetryHandler):
    """Waits where Slack asks for a short wait; the library's own waits for however long it is told."""

    def _can_retry(self, *, response: HttpResponse | None = None, **others: Any) -> bool:
        wait = retry_after(response.headers) if response else None
        return super()._can_retry(response=response, **others) and wait is not None and wait <= LONGEST_RETRY_AFTER


class _ServerErrors(ServerErrorRetryHandler):
    """The library's own knows two of the four."""

    def _can_retry(self, *, response: HttpResponse | None = None, **_others: Any) -> bool:
        return response is not None and response.status_code in _SERVER_ERRORS


def post(url: str, body: dict[str, Any]) -> Answer:
    """Post a message to a webhook, with a second try where that may help.

    Raises `OSError`, `http.client.HTTPException`, `ValueError` or `LookupError`, whose words may hold the address.
    """
    # The library's own log lines print the address, one of them at the level INFO.
    silent = logging.getLogger(__name__)
    silent.setLevel(logging.CRITICAL + 1)
    soon = FixedValueRetryIntervalCalculator(BETWEEN_TRIES)
    handlers = [
        ConnectionErrorRetryHandler(interval_calculator=soon),
        _RateLimited(),
        _ServerErrors(interval_calculator=soon),
    ]
    response = WebhookClient(url, timeout=TIMEOUT, logger=silent, retry_handlers=handlers).send_dict(body)
    return Answer(response.status_code, response.body.strip(), retry_after(dict(response.headers)))


def retry_after(headers: Mapping[str, Any]) -> int | None:
    """Read how many seconds Slack asks to wait; None where it does not say it in seconds."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            first = value if isinstance(value, str) else value[0]
            return int(first) if re.fullmatch(r"[0-9]{1,6}", first) else None
    return None
