"""The timers of the service."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from app import scheduler
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.leases import Lease
from app.core.run import State, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.leader import Leader
from app.retraining import Trainer
from app.scheduler import Scheduler
from tests.worlds import check, within


def during(seconds: float, timers: Scheduler) -> None:
    """Let timers run for a while."""

    async def run() -> None:
        timers.start()
        await asyncio.sleep(seconds)
        await timers.stop()
        await asyncio.sleep(0.01)

    asyncio.run(run())


@pytest.fixture
def make(database: Database) -> Callable[..., Scheduler]:
    database.migrate()

    def made(tell: Callable[[], object] = int, **settings: Any) -> Scheduler:
        return Scheduler(Settings(**settings), database, ModelStore(Settings().model_store), tell)

    return made


def test_jobs_are_called_again_whatever_becomes_of_them(
    make: Callable[..., Scheduler], caplog: pytest.LogCaptureFixture
):
    called: list[str] = []

    async def on_the_loop() -> None:
        called.append(threading.current_thread().name)
        raise RuntimeError("a bug on the loop")

    def in_a_thread() -> None:
        called.append(threading.current_thread().name)
        raise RuntimeError("a bug in a thread")

    timers = make()
    timers.every(0.02, "one", on_the_loop)
    timers.every_in_a_thread(0.02, "other", in_a_thread)
    during(1.0, timers)

    assert called.count("MainThread") > 2
    assert sum(name.startswith("scheduler") for name in called) > 2
    assert "a bug on the loop" in caplog.text
    assert "a bug in a thread" in caplog.text


def test_what_goes_on_is_not_called_twice_and_a_stop_is_quiet(
    make: Callable[..., Scheduler], caplog: pytest.LogCaptureFixture
):
    begun: list[str] = []

    async def on_the_loop() -> None:
        begun.append("loop")
        await asyncio.sleep(60)

    def in_a_thread() -> None:
        begun.append("thread")
        time.sleep(1)

    timers = make()
    timers.every(0.02, "one", on_the_loop)
    timers.every_in_a_thread(0.02, "other", in_a_thread)
    during(0.5, timers)

    assert sorted(begun) == ["loop", "thread"]
    assert not caplog.records


def test_one_process_tells_and_a_database_that_is_away_is_no_bug(
    make: Callable[..., Scheduler],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(scheduler, "TELL_SECONDS", 0.05)
    told: list[str] = []

    def tell() -> None:
        told.append("one")
        raise DatabaseError("The database is away.")

    during(1.0, make(tell=tell))
    assert len(told) > 1

    within(5, lambda: check(Lease(database, "teller", "another process").take(60.0)))
    told.clear()
    during(0.5, make(tell=tell))
    assert not told
    assert not caplog.records


def test_what_is_told_for_long_is_not_told_twice_and_holds_up_no_stop(
    make: Callable[..., Scheduler], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scheduler, "TELL_SECONDS", 0.05)
    told, over = [], threading.Event()

    def tell() -> None:
        told.append("one")
        over.wait(20)

    begun = time.monotonic()
    during(0.5, make(tell=tell))
    assert time.monotonic() - begun < 5
    assert told == ["one"]
    over.set()


def test_a_process_that_may_not_train_leads_nobody(make: Callable[..., Scheduler], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Lease, "take", lambda *_args: pytest.fail("asked for"))

    during(0.2, make(retrain_enabled=False))


def test_a_process_that_may_train_leads_and_takes_up_what_waits(
    make: Callable[..., Scheduler], database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scheduler, "TRAINER_SECONDS", 0.05)
    monkeypatch.setattr(Trainer, "_begin", lambda trainer: begun.append(trainer._may_begin()))
    begun: list[bool] = []
    timers = make(retrain_enabled=True, retrain_cron="0 0 29 2 *")

    during(1.0, timers)

    assert True in begun
    assert isinstance(timers._leader, Leader)
    assert not timers._leader.leads
    assert Lease(database, "leader").take()
    [run] = RunStore(database).newest(10)[1]
    assert (run.trigger, run.state) == (Trigger.START, State.QUEUED)  # there is no model
