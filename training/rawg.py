"""RAWG's list of games, page by page: asks, asks again where that may help, and says clearly where it does not."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx
import orjson
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from app.core import __version__
from app.core.errors import CollectionError, RawgKeyError, RawgUnavailableError
from app.core.settings import Settings
from training import retry_after
from training.ledger import RequestLedger

log = structlog.get_logger(__name__)

PAGE_SIZE = 40  # RAWG's maximum; a larger one is silently cut to this
TRIES = 8
_TOLD_FROM_TRY = 4  # what passes sooner is everyday
LONGEST_WAIT = 300.0  # seconds; where RAWG asks for more, a person should decide

_SHORTEST_KEY = 8  # what is shorter is no real key, and would be found in other words
_USER_AGENT = f"game-recommender/{__version__} (self-hosted; catalogue by RAWG)"
_KEY_IN_URL = re.compile(rb"((?:[?&]|\\u0026)key=)[^&\"\\]*")
_KEY_MESSAGES: Mapping[str, str] = {
    "The key parameter is not provided": "RAWG got no key: set RAWG_API_KEY (a free one: https://rawg.io/apidocs).",
    "The API key is not found": (
        "RAWG does not know the key in RAWG_API_KEY: it is mistyped, or so new that it is not active yet."
    ),
    "The monthly API limit reached": (
        "RAWG's monthly limit for this key is reached; the pages collected so far are kept, and the same command goes "
        "on from there next month."
    ),
}


@dataclass(frozen=True)
class Query:
    """Which games to list: RAWG's own filters, each a comma-separated text as RAWG takes it.

    `updated` is no setting: two days, the first and the last on which a game's record was touched.
    """

    genres: str | None = None
    tags: str | None = None
    platforms: str | None = None
    dates: str | None = None
    updated: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take the filters from the settings."""
        return cls(settings.rawg_genres, settings.rawg_tags, settings.rawg_platforms, settings.rawg_dates)

    def parameters(self) -> dict[str, str]:
        """Write the query as URL parameters, without key and page."""
        filters = {name: value for name, value in vars(self).items() if value}
        return {"page_size": str(PAGE_SIZE), "ordering": "-added", **filters}

    def doubt(self) -> str:
        """Say which settings to look at when RAWG does not take the query."""
        filters = [f"RAWG_{name.upper()}" for name, value in vars(self).items() if value and name != "updated"]
        return f"check {' and '.join(filters or ['RAWG_BASE_URL'])}"


class Page(NamedTuple):
    """One answer: the body as received, but for the key, and what it holds."""

    body: bytes
    games: list[object]
    has_next: bool
    listed: int | None = None  # games on all pages of the list, where RAWG tells it

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a body; `ValueError` where it is not a list page."""
        content = _json(body)
        if not isinstance(content, dict) or not isinstance(content.get("results"), list):
            raise ValueError("a body without results")  # noqa: TRY004  # of a body, like JSON that does not parse
        count = content.get("count")
        listed = count if type(count) is int and count >= 0 else None
        return cls(body, content["results"], has_next=bool(content.get("next")), listed=listed)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Slower, and takes what orjson does not: half a surrogate pair, a huge number or NaN in one of the records.
        return json.loads(body.decode("utf-8-sig"))


class _TransientError(Exception):
    """A failure that may pass: what happened, and how many seconds RAWG asks to wait, if it does."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


class RawgClient:
    """Fetches pages over one connection pool; an asynchronous context manager.

    The key appears in no error, log line or body that leaves this class.
    """

    def __init__(self, settings: Settings, ledger: RequestLedger) -> None:
        """Take key, address, concurrency and time limit from the settings."""
        self._key = settings.rawg_api_key.get_secret_value() if settings.rawg_api_key else ""
        self._url = f"{settings.rawg_base_url}/games"
        self._ledger = ledger
        self._timeout = settings.rawg_timeout
        self._resume_at = 0.0
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.rawg_timeout, connect=min(10.0, settings.rawg_timeout)),
            headers={"User-Agent": _USER_AGENT, "Accept": "application/json"},
            limits=httpx.Limits(max_connections=settings.rawg_concurrency),
        )

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def page(self, query: Query, number: int) -> Page | None:
        """Fetch one page; None past the end of the list.

        Raises `RawgKeyError`, `QuotaReachedError`, or `RawgUnavailableError` after `TRIES` failures.
        """
        page = await self._tried(query, number)
        if page and page.has_next and not page.games:
            # The end of the list, or a slip of RAWG in the middle of it: the second answer decides.
            page = await self._tried(query, number)
        return page

    async def _tried(self, query: Query, number: int) -> Page | None:
        try:
            page: Page | None = await self._retrying(self._try_page, query, number)
        except _TransientError as failed:
            raise RawgUnavailableError(
                f"RAWG did not give page {number} in {TRIES} tries, the last one ending with {failed}; the pages "
                "collected so far are kept, and the same command goes on from there.",
            ) from None
        return page

    @property
    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception_type(_TransientError),
            wait=_wait,
            stop=stop_after_attempt(TRIES),
            before_sleep=_tell,
            reraise=True,
        )

    async def _try_page(self, query: Query, number: int) -> Page | None:
        await asyncio.sleep(max(0.0, self._resume_at - time.monotonic()))
        self._ledger.spend()
        parameters = {**query.parameters(), "page": str(number)}
        if self._key:
            parameters["key"] = self._key
        try:
            async with asyncio.timeout(self._timeout):  # of the whole answer; httpx limits each part of it
                response = await self._http.get(self._url, params=parameters)
        except (httpx.RequestError, TimeoutError) as failed:
            raise _TransientError(retry_after.what_happened(failed)) from None
        return self._read(response, query)

    def _read(self, response: httpx.Response, query: Query) -> Page | None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            wait = self._wait_asked_for(response)
            raise _TransientError(f"HTTP {status}", wait)
        if status == httpx.codes.UNAUTHORIZED:
            raise RawgKeyError(_key_message(response))
        if status == httpx.codes.NOT_FOUND and b"Invalid page" in response.content:
            return None
        if status != httpx.codes.OK:
            raise CollectionError(f"RAWG answered HTTP {status} to the list of games; {query.doubt()}.")
        try:
            return Page.parse(self._without_key(response.content))
        except ValueError as unreadable:
            broken = isinstance(unreadable, json.JSONDecodeError | UnicodeDecodeError)
            what = "a body that is not JSON" if broken else str(unreadable)
            raise _TransientError(what) from None

    def _wait_asked_for(self, response: httpx.Response) -> float | None:
        """Read `Retry-After`, and hold back every other request until then as well."""
        wait = retry_after.seconds(response.headers.get("Retry-After"))
        if wait is not None:
            if wait > LONGEST_WAIT:
                raise RawgUnavailableError(
                    f"RAWG asks to wait {wait:.0f} seconds; the pages collected so far are kept: try again then.",
                )
            self._resume_at = max(self._resume_at, time.monotonic() + wait)
        return wait

    def _without_key(self, body: bytes) -> bytes:
        if len(self._key) >= _SHORTEST_KEY:
            for form in {self._key, quote(self._key), quote(self._key, safe="")}:
                body = body.replace(form.encode(), b"REDACTED")
        return _KEY_IN_URL.sub(rb"\1REDACTED", body)


def _key_message(response: httpx.Response) -> str:
    try:
        error = orjson.loads(response.content)["error"]
        return _KEY_MESSAGES[error]
    except (ValueError, TypeError, KeyError):
        return "RAWG refuses the key in RAWG_API_KEY (HTTP 401)."


def _tell(state: RetryCallState) -> None:
    if state.attempt_number >= _TOLD_FROM_TRY:
        error = state.outcome and state.outcome.exception()
        log.warning("RAWG does not answer well; trying again", attempt=state.attempt_number, last=str(error))


_backoff = wait_random_exponential(multiplier=0.5, max=30)


def _wait(state: RetryCallState) -> float:
    error = state.outcome and state.outcome.exception()
    asked = error.wait if isinstance(error, _TransientError) else None
    return _backoff(state) if asked is None else asked
