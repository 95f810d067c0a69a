"""The runs that nobody has to ask for: those of the schedule, and the one that a start needs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from app.core.cron import last_due
from app.core.errors import ArtifactError, RunInProgressError, VersionNotFoundError
from app.core.run import RunOptions, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore

TRY_AGAIN_SECONDS = 3600.0  # after a run that a start asked for and that did not bring what it was for
_TICK_SECONDS = 60.0  # by which a tick may come late

log = structlog.get_logger(__name__)


class DueRuns:
    """Queues runs, each once, whoever else queues them too."""

    def __init__(
        self, settings: Settings, runs: RunStore, models: ModelStore, now: Callable[[], float] = time.time
    ) -> None:
        """Follow the schedule of the settings; `now` is in seconds since 1970."""
        self._settings = settings
        self._runs = runs
        self._models = models
        self._now = now
        self._grace = settings.retrain_grace_hours * 3600

    def tick(self) -> None:
        """Queue the run whose time has come."""
        self._queue_last_due(self._now() - max(self._grace, self._settings.retrain_jitter + _TICK_SECONDS))

    def make_up(self) -> None:
        """Queue the last run that was missed, where it is not older than the grace."""
        last = self._runs.last_scheduled()
        if last is not None:
            self._queue_last_due(max(last, self._now() - self._grace))

    def begin(self) -> bool:
        """Queue a run where there is no model, or that of the starter though RAWG's key is there.

        Says whether that is settled: while another run goes on, it is not.
        """
        if not self._wants_another_model():
            return True
        if self._runs.going_on() is not None:
            return False
        _, newest = self._runs.newest(1)
        if any(run.trigger is Trigger.START and self._now() - run.queued_at < TRY_AGAIN_SECONDS for run in newest):
            return True
        self._queue(Trigger.START)
        return True

    def _queue_last_due(self, since: float) -> None:
        times = (datetime.fromtimestamp(at, UTC) for at in (self._now(), since))
        due = last_due(self._settings.retrain_cron, self._settings.retrain_timezone, *times)
        if due is not None:
            self._queue(Trigger.SCHEDULE, due.timestamp())

    def _queue(self, trigger: Trigger, scheduled_for: float | None = None) -> None:
        try:
            run = self._runs.queue(trigger, RunOptions(), scheduled_for)
        except RunInProgressError as other:
            log.info("no training run queued: one waits, or was queued for this time", other=other.run_id)
        else:
            log.info("training run queued", run_id=run.run_id, trigger=trigger)

    def _wants_another_model(self) -> bool:
        try:
            version = self._models.current_version()
            if version is None:
                return True
            is_of_starter = self._models.manifest(version).catalogue_source == "starter"
        except (ArtifactError, VersionNotFoundError) as broken:
            # A person published it, and may want it back.
            log.warning("the current model cannot be used; activate another, or train anew", reason=str(broken))
            return False
        return is_of_starter and self._settings.rawg_api_key is not None
