"""What Prometheus reads of the training loop: kept in the database, and so the same whichever worker is asked."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.core import run_counts
from app.core.database import Database
from app.core.documents import RAWG_QUOTA, Document, Documents
from app.core.errors import DatabaseError
from app.core.notices import NoticeCounts, Notices
from app.core.run import State, Step
from app.core.run_counts import NO_STEP, RunCounts

READ_SECONDS = 5.0  # between two readings
KEPT_SECONDS = 60.0  # for which a reading is shown while the database does not answer

_ENDS = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
_SAME = "Of the database, so the same from every worker and replica."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Reading:
    runs: RunCounts
    notices: NoticeCounts
    quota: Document | None
    at: float  # on the monotonic clock


class LoopMetrics:
    """Collects what was last read from the database, and nothing while that is away: a scrape never waits for it."""

    def __init__(self, prefix: str, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        """Read a database, which must be migrated; names begin with `prefix`."""
        self._prefix = prefix
        self._database = database
        self._notices = Notices(database)
        self._documents = Documents(database)
        self._clock = clock
        self._reading: _Reading | None = None

    def refresh(self) -> None:
        """Read the database; takes as long as that does."""
        try:
            runs = run_counts.read(self._database)
            quota = self._documents.get(RAWG_QUOTA)
            self._reading = _Reading(runs, self._notices.counts(), quota, self._clock())
        except DatabaseError as away:
            if self._reading is not None:
                log.warning("the metrics of the loop are not shown", reason=str(away))
            self._reading = None

    def collect(self) -> Iterable[Metric]:
        """Collect the metrics."""
        reading = self._reading
        if reading is not None and self._clock() - reading.at <= KEPT_SECONDS:
            yield from self._of_runs(reading.runs)
            yield from self._of_notices(reading.notices)
            yield from self._of_quota(reading.quota)

    def _of_runs(self, counts: RunCounts) -> Iterable[Metric]:
        yield self._counter(
            "runs",
            "Training runs by how they ended; counted as they end, so that this stays when old runs are forgotten.",
            "outcome",
            {end: counts.outcomes.get(end, 0) for end in _ENDS},
        )
        yield self._counter(
            "run_failures",
            f"Training runs that failed, by the step they failed in; '{NO_STEP}' is before the first.",
            "step",
            {step: counts.failures.get(step, 0) for step in (NO_STEP, *Step)},
        )
        told = "When a training run last ended so; not there where none has."
        yield self._gauge("last_run_timestamp_seconds", told, "outcome", counts.last)

    def _of_notices(self, counts: NoticeCounts) -> Iterable[Metric]:
        states = {"waiting": counts.waiting, "done": counts.done, "given_up": counts.given_up}
        yield self._gauge("notices", "Notices to people by what became of them, of the last 40 days.", "state", states)
        failures = "How often sending a notice failed, of the notices of the last 40 days."
        yield self._gauge("notice_failures", failures, None, {"": counts.failures})

    def _of_quota(self, quota: Document | None) -> Iterable[Metric]:
        if quota is not None:
            limit, left = quota.body["limit"], quota.body["remaining"]
            if quota.body["month"] != f"{datetime.now(UTC):%Y-%m}":
                left = limit  # nothing has been asked for this month
            yield self._gauge("rawg_quota_limit", "Requests to RAWG that a month may have.", None, {"": limit})
            told = "Requests to RAWG that are left this month, as the last collection knows."
            yield self._gauge("rawg_quota_remaining", told, None, {"": left})

    def _counter(self, name: str, told: str, label: str, values: Mapping[str, float]) -> Metric:
        family = CounterMetricFamily(f"{self._prefix}_{name}", f"{told} {_SAME}", labels=[label])
        for value, number in values.items():
            family.add_metric([value], number)
        return family

    def _gauge(self, name: str, told: str, label: str | None, values: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(f"{self._prefix}_{name}", f"{told} {_SAME}", labels=[label] if label else [])
        for value, number in values.items():
            family.add_metric([value] if label else [], number)
        return family
