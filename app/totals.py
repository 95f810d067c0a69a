"""Metrics of Prometheus' library that follow numbers which only grow: counting itself is left to plain numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Counter, Histogram


class Total:
    """A counter that follows a number which only grows."""

    def __init__(self, counter: Counter) -> None:
        """Begin at nothing."""
        self._counter = counter
        self._reached = 0

    def reach(self, total: int) -> None:
        """Count up to a number."""
        if total > self._reached:
            self._counter.inc(total - self._reached)
            self._reached = total


class Totals:
    """A counter with labels that follows numbers which only grow, each by the values of its labels."""

    def __init__(self, counter: Counter) -> None:
        """Begin with none."""
        self._counter = counter
        self._totals: dict[tuple[object, ...], Total] = {}

    def reach(self, totals: Mapping[tuple[Any, ...], int]) -> None:
        """Count up to some numbers; the others stay as they are."""
        for labels, total in totals.items():
            if labels not in self._totals:
                self._totals[labels] = Total(self._counter.labels(*labels))
            self._totals[labels].reach(total)


class Spread:
    """A histogram that follows how often something took how long, by ranges of seconds."""

    def __init__(self, histogram: Histogram) -> None:
        """Begin at nothing."""
        self._buckets = [Total(bucket) for bucket in histogram._buckets]
        self._sum = histogram._sum
        self._seconds = 0.0

    def reach(self, counts: Sequence[int], seconds: float) -> None:
        """Count up to so many in each range, which took so many seconds together."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            bucket.reach(count)
        self._sum.inc(seconds - self._seconds)
        self._seconds = seconds
