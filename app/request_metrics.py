"""What Prometheus reads of the requests of a worker."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.request_counts import BOUNDS, RequestCounts
from app.totals import Spread, Totals


class RequestMetrics:
    """Requests by route, method and status, and how long they took by route."""

    def __init__(self, prefix: str, counts: RequestCounts, registry: CollectorRegistry) -> None:
        """Show counts in a registry."""
        self._counts = counts
        requests = Counter(
            f"{prefix}_requests",
            "Requests by route, method and status; 499: the client was gone before an answer began; the route "
            "'unmatched': a path of no route, or refused before its route was looked for.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._requests = Totals(requests)
        self._seconds = Histogram(
            f"{prefix}_request_seconds",
            "How long a request took, until its answer began, by route.",
            ("route",),
            registry=registry,
            buckets=BOUNDS,
        )
        self._spreads: dict[str, Spread] = {}

    def flush(self) -> None:
        """Write what was counted since the last time."""
        self._requests.reach(dict(self._counts.answered))
        for route, latencies in dict(self._counts.latencies).items():
            if route not in self._spreads:
                self._spreads[route] = Spread(self._seconds.labels(route))
            self._spreads[route].reach(tuple(latencies.counts), latencies.seconds)
