"""The session of a visitor of the page, who may write there without a key: a signed cookie, checks, and a limit."""

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

import structlog
from fastapi import Depends, Request, Response

from app.core.documents import PAGE_SECRET, Documents
from app.core.errors import (
    DatabaseError,
    ModelNotLoadedError,
    NoPageSessionError,
    NotSameOriginError,
    PageWritesOffError,
)
from app.core.settings import Settings
from app.live_model import LiveModel
from app.rate_limits import RateLimit

COOKIE = "page"
SECONDS = 86_400  # that a session lasts

_OFF = "Nothing can be written from this page now; its settings or the model's real players do not allow it."
_OVER = "The page's session is over: load the page anew."
_ELSEWHERE = "This is for the service's own page alone; another site, or a program, takes the API with a key."

log = structlog.get_logger(__name__)


class PageSessions:
    """Opens sessions and admits what is written in them; all workers and replicas sign with one secret."""

    def __init__(
        self, documents: Documents, settings: Settings, live_model: LiveModel, now: Callable[[], float] = time.time
    ) -> None:
        """Allow nothing until the first `refresh` has read the secret; `now` is in seconds since 1970."""
        self._documents = documents
        self._writes = settings.public_page_writes
        self._live_model = live_model
        self._now = now
        self._limit = RateLimit(settings.rate_limit_page) if settings.rate_limit_page else None
        self._secret: bytes | None = None
        self._warned = False
        self.tries_out = self._writes == "simulated"

    def refresh(self) -> None:
        """Read the secret, which the first one to need it makes; while the database is away the page only shows."""
        if self._secret is not None or self._writes == "never":
            return
        try:
            self._secret = str(self._documents.put_once(PAGE_SECRET, secrets.token_hex(32))).encode()
        except DatabaseError as away:
            if not self._warned:
                log.warning("the page shows, and writes nothing until the database is there", reason=str(away))
            self._warned = True

    @property
    def may_write(self) -> bool:
        """Tell whether a page that is loaded now may write."""
        return self._secret is not None and self._is_on

    @property
    def _is_on(self) -> bool:
        if self._writes != "simulated":
            return self._writes == "always"
        try:
            return self._live_model.loaded.is_simulated
        except ModelNotLoadedError:
            return False

    def open(self, request: Request, response: Response) -> None:
        """Give the page a session with its answer, where it may write."""
        if self._secret is None or not self._is_on:
            return
        session = f"{secrets.token_urlsafe(16)}.{int(self._now())}"
        response.set_cookie(
            COOKIE,
            f"{session}.{_signature(self._secret, session)}",
            max_age=SECONDS,
            path="/page",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def admit(self, request: Request) -> None:
        """Return where a request may write as the page does.

        Raises `PageWritesOffError`, `NotSameOriginError`, `NoPageSessionError`, `TooManyRequestsError`, or
        `DatabaseError` where the secret could not be read yet.
        """
        if not self._is_on:
            raise PageWritesOffError(_OFF)
        if not _is_from_here(request):
            raise NotSameOriginError(_ELSEWHERE)
        session = self._session_of(request.cookies.get(COOKIE, ""))
        if self._limit is not None:
            self._limit.count(f"session {session}")
            self._limit.count(f"address {request.client.host if request.client else ''}")

    def _session_of(self, cookie: str) -> str:
        """Name the session of a cookie."""
        if self._secret is None:
            raise DatabaseError("The secret of the page's sessions could not be read yet.")
        session, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(_signature(self._secret, session).encode(), signature.encode()):
            raise NoPageSessionError(_OVER)
        name, _, opened_at = session.partition(".")
        if self._now() - int(opened_at) > SECONDS:
            raise NoPageSessionError(_OVER)
        return name


def open(request: Request, response: Response) -> None:  # noqa: A001  # of a session, and nothing else here opens
    """Give the page a session with its answer, where it may write."""
    _sessions(request).open(request, response)


def may_write(request: Request) -> bool:
    """Tell whether the page may write."""
    return _sessions(request).may_write


async def _admitted(request: Request) -> PageSessions:
    sessions = _sessions(request)
    sessions.admit(request)
    return sessions


Visit = Annotated[PageSessions, Depends(_admitted)]


def _sessions(request: Request) -> PageSessions:
    sessions: PageSessions = request.app.state.page_sessions
    return sessions


def _signature(secret: bytes, session: str) -> str:
    return hmac.new(secret, session.encode(), sha256).hexdigest()


def _is_from_here(request: Request) -> bool:
    """Tell whether the browser says that the request is a page's of ours; one that says nothing is not believed."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    host, (_, _, origin) = request.headers.get("Host", ""), request.headers.get("Origin", "").partition("://")
    return bool(host) and origin.lower() == host.lower()
