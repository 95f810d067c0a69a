"""What the service does again and again beside answering: a timer for each job, in every worker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from threading import Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.core.cron import trigger
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.leases import BEAT_SECONDS, Lease
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.due_runs import DueRuns
from app.leader import Leader
from app.retraining import Trainer, can_train

TRAINER_SECONDS = 1.0
TELL_SECONDS = 5.0

_FAREWELL_SECONDS = 0.5  # for what is being told while the service stops
_LEAST_GRACE = 60  # seconds by which a tick may be late
_THREADS = {"executor": "threads"}
_MOST_THREADS = 6  # of our own: a database that hangs keeps none of those waiting that requests need


class Scheduler:
    """Calls jobs. One that fails is logged and called again all the same; one that goes on is not called twice."""

    def __init__(self, settings: Settings, database: Database, models: ModelStore, tell: Callable[[], object]) -> None:
        """Look after training runs where this process can train; `tell` sends what people are to be told."""
        self._settings = settings
        self._tell = tell
        self._teller = Lease(database, "teller")
        self._telling: Thread | None = None
        self._leader: Leader | None = None
        self._trainer: Trainer | None = None
        if can_train(settings):
            runs = RunStore(database)
            self._leader = leader = Leader(database, runs, models, DueRuns(settings, runs, models))
            self._trainer = Trainer(settings, database, models, lambda: leader.leads)
        self._threads = ThreadPoolExecutor(_MOST_THREADS, {"thread_name_prefix": "scheduler"})
        self._jobs = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            executors={"threads": self._threads},
        )

    def every(self, seconds: float, name: str, job: Callable[[], Awaitable[object]]) -> None:
        """Call a job on the event loop."""
        self._jobs.add_job(partial(_until_cancelled, job), "interval", seconds=seconds, id=name)

    def every_in_a_thread(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        """Call a job that waits for others, beside the event loop."""
        self._jobs.add_job(job, "interval", seconds=seconds, id=name, **_THREADS)

    def start(self) -> None:
        """Begin, on the event loop that runs."""
        self.every_in_a_thread(TELL_SECONDS, "tell", self._tell_beside)
        if self._leader is not None and self._trainer is not None:
            self._schedule(self._leader, self._trainer)
        self._jobs.start()

    async def stop(self) -> None:
        """End what goes on in child processes, and let another process take over; once is enough."""
        if not self._jobs.running:
            return
        self._jobs.shutdown(wait=False)
        ending = Thread(target=self._threads.shutdown, name="farewell", daemon=True)  # waits for what goes on
        ending.start()
        await asyncio.to_thread(ending.join, _FAREWELL_SECONDS)
        if self._telling is not None:
            await asyncio.to_thread(self._telling.join, _FAREWELL_SECONDS)
        if self._leader is not None and self._trainer is not None:
            await asyncio.to_thread(self._trainer.stop)
            await asyncio.to_thread(self._leader.stop)

    def _schedule(self, leader: Leader, trainer: Trainer) -> None:
        self.every_in_a_thread(BEAT_SECONDS, "lead", leader.beat)
        self._jobs.modify_job("lead", next_run_time=datetime.now(UTC))
        self.every_in_a_thread(TRAINER_SECONDS, "trainer", trainer.step)
        settings = self._settings
        times = trigger(settings.retrain_cron, settings.retrain_timezone, settings.retrain_jitter)
        grace = max(_LEAST_GRACE, round(settings.retrain_grace_hours * 3600))
        # In every process that can train: whether it is the leader is asked when the time has come.
        self._jobs.add_job(leader.tick, times, id="retrain", misfire_grace_time=grace, **_THREADS)

    def _tell_beside(self) -> None:
        """Tell in a thread that the end of the process does not wait for: Slack may say nothing for long."""
        if self._telling is None or not self._telling.is_alive():
            telling = Thread(target=self._tell_alone, name="tell", daemon=True)
            telling.start()
            self._telling = telling

    def _tell_alone(self) -> None:
        with suppress(DatabaseError):  # what is to be told is in there, and waits
            if self._teller.take(3 * TELL_SECONDS):
                self._tell()


async def _until_cancelled(job: Callable[[], Awaitable[object]]) -> None:
    with suppress(asyncio.CancelledError):  # the service stops
        await job()
