"""Metrics for Prometheus, of all workers: counted in plain numbers, and written to the library now and then."""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from app.core.errors import ModelNotLoadedError
from app.live_model import LiveModel
from app.loop_metrics import LoopMetrics
from app.metrics_folder import VARIABLE
from app.request_counts import RequestCounts
from app.request_metrics import RequestMetrics
from app.tally import BOUNDS, Counts, Outcome, Tally
from app.totals import Spread, Total, Totals

PREFIX = "game_recommender"
_CREATED = f"{PREFIX}_model_created_timestamp_seconds"
_NOT_LIVE = 0.0  # the library keeps all that a process ever wrote; a version with this is not told


class Telemetry:
    """The metrics of this worker, and through the folder that it shares with the others those of all."""

    def __init__(
        self,
        tally: Tally,
        requests: RequestCounts,
        live_model: LiveModel,
        rollbacks: Callable[[], int],
        loop: LoopMetrics,
    ) -> None:
        """Tell what a worker counts, its model, how often it went back from a version, and the training loop."""
        self._loop = loop
        self._tally = tally
        self._live_model = live_model
        self._folder = Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None
        self._registry = CollectorRegistry()
        self._one_writes = threading.Lock()
        self._flushed = Counts()
        self._version: str | None = None
        self._model = Gauge(
            _CREATED,
            "When the live model was trained, by worker.",
            ("version",),
            registry=self._registry,
            multiprocess_mode="liveall",
        )
        self._answers = self._counter("answers", "Answers to who asked for recommendations.", "source")
        problems = self._counter("errors", "Requests that ended with a problem of the service's.", "type")
        written = self._counter(
            "interactions_written",
            "Interactions that were stored, by kind and by what wrote them: the api, the page, or the import of a file "
            "through the API; those of the command line are not counted.",
            "kind",
            "by",
        )
        self._problems, self._written = Totals(problems), Totals(written)
        self._latency = Spread(
            Histogram(
                f"{PREFIX}_recommend_seconds",
                "How long an answer to one player took to make.",
                registry=self._registry,
                buckets=BOUNDS,
            )
        )
        self._requests = RequestMetrics(PREFIX, requests, self._registry)
        self._totals: list[tuple[Total, Callable[[], int]]] = [
            (Total(self._counter("model_swaps", "Models that took another's place.")), lambda: live_model.swaps),
            (Total(self._counter("model_refusals", "Models that could not be used.")), lambda: live_model.refusals),
            (Total(self._counter("rollbacks", "Models that were taken back in probation.")), rollbacks),
            *((Total(self._answers.labels(outcome.name.lower())), self._reader(outcome)) for outcome in Outcome),
        ]

    def flush(self) -> None:
        """Write what was counted since the last time; from any thread."""
        with self._one_writes:
            self._flushed = self._tally.now()
            for total, read in self._totals:
                total.reach(read())
            self._problems.reach({(problem,): count for problem, count in dict(self._tally.problems).items()})
            self._written.reach(dict(self._tally.written))
            self._latency.reach(self._flushed.latencies, self._tally.seconds)
            self._requests.flush()
            self._tell_model()

    def render(self) -> bytes:
        """Write the metrics of all workers that share a folder as Prometheus reads them."""
        self.flush()
        shown = CollectorRegistry()
        if self._folder is None:
            shown.register(_Live(self._registry))
        else:
            _forget_the_dead(self._folder)
            shown.register(_Live(MultiProcessCollector(None, str(self._folder))))  # type: ignore[no-untyped-call]
        shown.register(self._loop)
        return generate_latest(shown)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", told, labels, registry=self._registry)

    def _reader(self, outcome: Outcome) -> Callable[[], int]:
        return lambda: self._flushed.outcomes[outcome]

    def _tell_model(self) -> None:
        with suppress(ModelNotLoadedError):
            live = self._live_model.loaded
            if self._version not in {None, live.manifest.version}:
                self._model.labels(self._version).set(_NOT_LIVE)
            self._version = live.manifest.version
            self._model.labels(self._version).set(live.trained_at)


class _Live:
    """Shows what others collect, of the models those alone that are live, and by process."""

    def __init__(self, others: Collector) -> None:
        self._others = others

    def collect(self) -> Iterable[Metric]:
        """Collect the metrics."""
        for metric in self._others.collect():
            if metric.name == _CREATED:
                metric.samples = [
                    sample._replace(labels={"pid": str(os.getpid()), **sample.labels})
                    for sample in metric.samples
                    if sample.value != _NOT_LIVE
                ]
            yield metric


def _forget_the_dead(folder: Path) -> None:
    """Leave out the models of workers that were killed; what they counted stays counted."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        # Another worker may be first; and what is somebody else's process is alive.
        with suppress(FileNotFoundError, PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
