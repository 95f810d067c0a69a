"""The requests of this process, in plain numbers: by route, method and status, and how long they took.

That is until an answer begins: what is streamed, as the events of a run or an export, is not slow for being long.
"""

from bisect import bisect_left
from collections import Counter
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Upper ends of the ranges of seconds that a request may take; a last range has none.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

UNMATCHED = "unmatched"  # what no route of the service has, or was refused before its route was looked for
PLAIN_ROUTE = "/recommend/{user_id}"  # the route that the fast lane answers for
_UNANSWERED = 499  # as other servers call it: the client was gone, or the service, before an answer began

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_OTHER = "other"
_PLAIN = (PLAIN_ROUTE, "GET", 200)


class Latencies:
    """How many requests took how long: by the ranges of `BOUNDS`, and `seconds` together."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        """Start from nothing."""
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def record(self, seconds: float) -> None:
        """Count a request."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class RequestCounts:
    """Counts requests; written to by the event loop's thread alone, and read by any.

    However strange what is asked for, there are no more names than routes, methods and statuses of the service's own.
    """

    def __init__(self) -> None:
        """Start from nothing."""
        self.answered: Counter[tuple[str, str, int]] = Counter()  # by route, method, status
        self.latencies: dict[str, Latencies] = {PLAIN_ROUTE: Latencies()}  # by route
        self._plain = self.latencies[PLAIN_ROUTE]

    def record(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self.answered[route, method if method in _METHODS else _OTHER, status] += 1
        if route not in self.latencies:
            self.latencies[route] = Latencies()
        self.latencies[route].record(seconds)

    def record_plain(self, seconds: float) -> None:
        """Count a request that the fast lane has answered."""
        self.answered[_PLAIN] += 1
        self._plain.record(seconds)


class Counting:
    """Passes requests on to an application, and counts them with the status that they were answered with."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        """Count what the whole of `app` answers, its answers to its own failures too."""
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status, begun = _UNANSWERED, None
        root_path = scope.get("root_path", "")

        async def noting(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], perf_counter()
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            seconds = (begun or perf_counter()) - started
            self._counts.record(_route(scope, root_path), scope["method"], status, seconds)


def _route(scope: Scope, root_path: str) -> str:
    """Name the route that a request was led to: its template, or the place where files are mounted."""
    template: str | None = getattr(scope.get("route"), "path_format", None)
    mounted: str = scope.get("root_path", "").removeprefix(root_path)
    return template or mounted or UNMATCHED
