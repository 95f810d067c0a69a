"""The plain case of `GET /recommend/{user_id}`, answered before the framework takes a request apart.

FastAPI takes twice as long to read the many parameters of that route as the answer takes to make. A request with none
of them but `n` is answered here, with the same bytes; all others, and everything that goes wrong, are the route's.
"""

import re

import structlog
from starlette.types import Scope, Send

from app.core.answer import Query
from app.core.errors import GameRecommenderError
from app.core.keys import Scope as Scopes
from app.recommending import Recommending
from app.security import HEADER, Guard

# A player's name without a slash: what follows one may be another route.
_PATH = re.compile(r"/recommend/([^/\x00-\x1f\x7f]{1,128})")
_QUERY = re.compile(rb"(?:n=(100|[1-9][0-9]?))?")
_DEFAULT_N = Query().n
_KEY = HEADER.lower().encode()

log = structlog.get_logger(__name__)


class FastLane:
    """Answers the plain case."""

    def __init__(self, recommending: Recommending, guard: Guard) -> None:
        """Answer what `guard` admits by `recommending`."""
        self._recommending = recommending
        self._guard = guard

    async def answers(self, scope: Scope, send: Send) -> bool:
        """Answer a request where it is a plain one; says whether it was."""
        body = await self._answer(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if body is None:
            return False
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    async def _answer(self, scope: Scope) -> bytes | None:
        path, query = _PATH.fullmatch(scope["path"]), _QUERY.fullmatch(scope["query_string"])
        if path is None or query is None or scope.get("root_path"):
            return None
        try:
            self._admit(scope)
            return await self._recommending.for_player_plainly(path[1], int(query[1] or _DEFAULT_N))
        except GameRecommenderError:  # the route runs into it again, and tells
            return None
        except Exception:  # a bug, and the route's to tell as well
            log.exception("the fast lane failed")
            return None

    def _admit(self, scope: Scope) -> None:
        key = next((value for name, value in scope["headers"] if name == _KEY), b"")
        if key or not self._guard.reading_is_free:
            client = scope.get("client")
            self._guard.admit(key.decode("latin-1") or None, client[0] if client else "", Scopes.READ)
