"""The leader: of all processes that can train, the one that keeps the schedule and looks after the runs."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

import structlog

from app.core.database import Database
from app.core.errors import DatabaseError, StoreNotWritableError, one_line
from app.core.leases import LEASE_SECONDS, Lease
from app.core.runs import RunStore
from app.core.store import ModelStore
from app.due_runs import DueRuns

LEASE = "leader"
WAIT_SECONDS = 0.5  # for a beat that goes on, while the service stops

log = structlog.get_logger(__name__)


class Leader:
    """Takes the lease and keeps it; `beat` is to be called every two seconds, `tick` when the schedule says so."""

    def __init__(
        self,
        database: Database,
        runs: RunStore,
        models: ModelStore,
        due: DueRuns,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Lead nobody yet."""
        self._database = database
        self._lease = Lease(database, LEASE)
        self._runs = runs
        self._models = models
        self._due = due
        self._now = now
        self._lock = Lock()
        self._is_over = False
        self._since: float | None = None  # since when this process has led without a break
        self._renewed_at = 0.0
        self._is_to_look_back = False
        self._has_begun = False

    @property
    def leads(self) -> bool:
        """Tell whether this process is the leader right now."""
        return self._since is not None and self._now() - self._renewed_at < LEASE_SECONDS

    @property
    def knows_the_living(self) -> bool:
        """Tell whether whoever lives has had the time to give a sign of it: after the database was away nobody had."""
        return self._since is not None and self._renewed_at - self._since > LEASE_SECONDS

    def beat(self) -> None:
        """Take or renew the lease, and do what a leader does."""
        with self._lock:
            if self._is_over:
                return
            try:
                self._take()
                if self.leads:
                    self._look_after_runs()
            except (DatabaseError, StoreNotWritableError, OSError) as away:
                self._resign(one_line(away))

    def tick(self) -> None:
        """Queue the run that the schedule says is due, if this process leads."""
        if not self.leads:
            return
        try:
            self._due.tick()
        except DatabaseError as away:
            log.warning("the run that is due cannot be queued yet", reason=str(away))
            self._is_to_look_back = True

    def stop(self) -> None:
        """Give the lease up, so that another takes it at once."""
        self._is_over = True
        if self._lock.acquire(timeout=WAIT_SECONDS):
            if self._since is not None:
                with suppress(DatabaseError):  # then it expires by itself
                    self._lease.give_up()
            self._since = None
            self._lock.release()

    def _take(self) -> None:
        self._database.migrate()  # it may have been away when the service started
        asked_at = self._now()
        if not self._lease.take():
            self._resign("another process took the lease")
            return
        has_led_on = self._since is not None and asked_at - self._renewed_at < LEASE_SECONDS
        self._renewed_at = asked_at
        if not has_led_on:
            log.info("this process looks after the training runs now")
            self._since = asked_at
            self._is_to_look_back = True

    def _resign(self, reason: str) -> None:
        if self._since is not None:
            log.warning("this process does not look after the training runs any more", reason=reason)
        self._since = None

    def _look_after_runs(self) -> None:
        if self.knows_the_living:
            for run_id in self._runs.end_those_cut_off():
                log.warning("training run cut off", run_id=run_id)
                self._models.remove_left_behind()
        if self._is_to_look_back:
            self._due.make_up()
            self._is_to_look_back = False
        if not self._has_begun:
            self._has_begun = self._due.begin()
