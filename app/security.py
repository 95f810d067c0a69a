"""Who may do what: keys and rate limits, as a plain guard and as dependencies of routes."""

import asyncio
import sys
import time
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import FastAPI, Request, Security
from fastapi.security import APIKeyHeader

from app.core.errors import (
    DatabaseError,
    ForbiddenError,
    GameRecommenderError,
    KeysUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from app.core.keys import Grant, KeyRing, KeyStore, Scope, id_of
from app.core.settings import Settings
from app.rate_limits import RateLimit

HEADER = "X-API-Key"
READ_SECONDS = 2.0  # between two readings of the keys: how long a revoked key goes on opening, at most
ASK_SECONDS = 0.05  # likewise where keys that are not known are asked for
KEPT_SECONDS = 600.0  # how long keys go on opening while the database is away

REFUSALS: tuple[type[GameRecommenderError], ...] = (
    UnauthorizedError,
    ForbiddenError,
    TooManyRequestsError,
    KeysUnavailableError,
)

_NO_KEY = f"A key is needed in the header {HEADER}; whoever runs the service makes one."
_WRONG_KEY = f"The key in the header {HEADER} is not valid, or was revoked."
_AWAY = "The database is away, so the key cannot be checked; try again."

log = structlog.get_logger(__name__)


class _Reading(NamedTuple):
    """The keys as they were read, when that was begun (seconds, monotonic), and whether it went well."""

    ring: KeyRing
    read_at: float
    tried_at: float
    worked: bool


class Guard:
    """Admits requests, or says why not, from what it remembers of the keys: nothing is read on the way."""

    def __init__(self, keys: KeyStore, settings: Settings) -> None:
        """Know the admin key of the settings alone until the first `refresh`."""
        self._keys = keys
        self._admin_key = settings.admin_api_key.get_secret_value() if settings.admin_api_key else None
        self._prepared = False
        self._reading = _Reading(KeyRing({}, self._admin_key), -KEPT_SECONDS, -KEPT_SECONDS, worked=False)
        self._one_asks = asyncio.Lock()
        read, write = settings.rate_limit_read, settings.rate_limit_write
        self._read_limit = RateLimit(read) if read else None
        self._write_limit = RateLimit(write) if write else None
        self.reading_is_open = not settings.require_read_key
        self.reading_is_free = self.reading_is_open and self._read_limit is None

    def admit(self, key: str | None, address: str, scope: Scope) -> None:
        """Return where a request may go on.

        Raises `UnauthorizedError`, `ForbiddenError`, `KeysUnavailableError` or `TooManyRequestsError`. A key that was
        made a moment ago may not be known yet: `admit_or_ask` asks the database first.
        """
        if key:
            caller = self._granted(key, scope).key_id or "settings"
        elif scope is Scope.READ and self.reading_is_open:
            caller = address
        else:
            raise UnauthorizedError(_NO_KEY)
        limit = self._read_limit if scope is Scope.READ else self._write_limit
        if limit is not None:
            limit.count(caller)

    async def admit_or_ask(self, key: str | None, address: str, scope: Scope) -> None:
        """As `admit`, and read the keys anew before one that is not known is refused."""
        reading = self._reading
        if key and reading.worked and id_of(key) and reading.ring.find(key) is None:
            await self._ask()
        self.admit(key, address, scope)

    def refresh(self) -> None:
        """Read the keys; where the database is away, those read before go on for a while."""
        before, now = self._reading, time.monotonic()
        try:
            self._prepare()
            ring = KeyRing(self._keys.grants(), self._admin_key)
        except (DatabaseError, OSError) as away:
            self._reading = before._replace(tried_at=now, worked=False)
            if before.worked or before.tried_at < 0:
                log.warning("the keys cannot be read", reason=str(away))
        else:
            self._reading = _Reading(ring, now, now, worked=True)
            if not before.worked and before.tried_at >= 0:
                log.info("the keys are read again")

    def _granted(self, key: str, scope: Scope) -> Grant:
        reading = self._reading
        grant = reading.ring.find(key)
        if grant is None:
            raise UnauthorizedError(_WRONG_KEY) if reading.worked or not id_of(key) else KeysUnavailableError(_AWAY)
        if grant.key_id and time.monotonic() - reading.read_at > KEPT_SECONDS:
            raise KeysUnavailableError(_AWAY)
        if not grant.scope.includes(scope):
            raise ForbiddenError(f"The key's scope is {grant.scope}, and this needs {scope}.")
        return grant

    async def _ask(self) -> None:
        """Read the keys as they are now, once for all who wait, however many wrong keys are tried."""
        asked_at = time.monotonic()
        async with self._one_asks:
            if self._reading.worked and self._reading.tried_at < asked_at:
                await asyncio.sleep(ASK_SECONDS)
                await asyncio.to_thread(self.refresh)

    def _prepare(self) -> None:
        if self._prepared:
            return
        self._keys.prepare()
        key = None if self._admin_key else self._keys.make_first_admin()
        self._prepared = True
        if key:
            # Not in the log, which is kept and sent to other places.
            print(f"The admin key, shown this once: {key}", file=sys.stderr, flush=True)


class _Admission(APIKeyHeader):
    """The security scheme of the OpenAPI document, which admits a request by the way."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            name=HEADER,
            scheme_name="key",
            description="`python -m training keys make` makes one. A scope includes the narrower: read, write, admin.",
            auto_error=False,
        )
        self._scope = scope

    async def __call__(self, request: Request) -> None:  # type: ignore[override]  # a route needs no key in its hands
        guard: Guard = request.app.state.guard
        address = request.client.host if request.client else ""
        await guard.admit_or_ask(request.headers.get(HEADER), address, self._scope)


# For the `dependencies` of a route or a router.
READS = Security(_Admission(Scope.READ), scopes=[Scope.READ])
WRITES = Security(_Admission(Scope.WRITE), scopes=[Scope.WRITE])
ADMINISTERS = Security(_Admission(Scope.ADMIN), scopes=[Scope.ADMIN])
# The same, as parameters.
Reader = Annotated[None, READS]
Writer = Annotated[None, WRITES]
Admin = Annotated[None, ADMINISTERS]


def install(app: FastAPI, guard: Guard) -> None:
    """Let an application's routes use a guard, and say in its OpenAPI document where a key may be left out."""
    app.state.guard = guard
    describe = app.openapi
    needed = {"key": [str(Scope.READ)]}

    def openapi() -> dict[str, Any]:
        document = describe()
        for methods in document["paths"].values():
            for operation in methods.values():
                if guard.reading_is_open and operation.get("security") == [needed]:
                    operation["security"] = [{}, needed]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document
