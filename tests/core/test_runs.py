"""The history of runs, on either database."""

import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from app.core.database import Database
from app.core.errors import DatabaseError, RunEndedError, RunInProgressError, RunNotFoundError
from app.core.leases import Lease
from app.core.notices import Notices
from app.core.run import RunOptions, Sign, State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.core.tables import notices

COLLECTING = StepTaken(Step.COLLECT, 100.0, done=40, total=100)


@pytest.fixture(autouse=True)
def migrated(database: Database) -> None:
    database.migrate()


@pytest.fixture
def store(database: Database) -> RunStore:
    return RunStore(database)


def told(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.kind for row in connection.execute(notices.select())]


def test_a_run_waits_goes_on_and_ends_once(store: RunStore, database: Database):
    queued = store.queue(Trigger.REQUEST, RunOptions(collect=False, tune=3, force=True))
    assert (queued.state, queued.options.tune, queued.has_ended) == (State.QUEUED, 3, False)
    assert store.waiting() == store.going_on() == queued

    running = store.start(queued.run_id, "here:1")
    assert (running.state, running.runner, store.waiting()) == (State.RUNNING, "here:1", None)
    assert store.beat(queued.run_id, [COLLECTING]) == Sign()
    assert store.get(queued.run_id).steps == (COLLECTING,)
    store.keep_log(queued.run_id, "Collecting: 40 of 100 games")

    done = replace(COLLECTING, done=100, seconds=7.5)
    assert store.end(queued.run_id, State.SUCCEEDED, result={"version": "v"}, steps=[done])
    ended = store.get(queued.run_id)
    assert (ended.state, ended.step, ended.steps, ended.result) == (
        State.SUCCEEDED,
        Step.COLLECT,
        (done,),
        {"version": "v"},
    )
    assert (ended.log_tail, ended.has_ended) == ("Collecting: 40 of 100 games", True)
    assert not store.end(queued.run_id, State.FAILED, "too late")
    assert store.beat(queued.run_id) == Sign(is_lost=True)
    assert store.going_on() is None
    assert told(database) == ["run"]


@pytest.mark.parametrize(("state", "error"), [(State.FAILED, "It was killed."), (State.CANCELLED, None)])
def test_a_run_that_has_a_result_does_not_fail_any_more(state: State, error: str | None, store: RunStore):
    run_id = store.begin(Trigger.REQUEST).run_id
    assert store.beat(run_id, [COLLECTING], result={"version": "v", "warnings": ["drift"]}) == Sign()

    assert store.end(run_id, state, error)

    run = store.get(run_id)
    why = f"The run broke off once its result was there: {error or 'cancelled'}"
    assert (run.state, run.error, run.result) == (
        State.SUCCEEDED,
        None,
        {"version": "v", "warnings": ["drift", why]},
    )


def test_one_goes_on_and_one_waits(store: RunStore):
    first = store.begin(Trigger.COMMAND)
    with pytest.raises(RunInProgressError, match=first.run_id):
        store.begin(Trigger.COMMAND)
    waiting = store.queue(Trigger.SCHEDULE, scheduled_for=1000.0)
    with pytest.raises(RunInProgressError):
        store.queue(Trigger.REQUEST)
    with pytest.raises(RunInProgressError):
        store.start(waiting.run_id)
    assert store.going_on() == first

    store.end(first.run_id, State.SUCCEEDED)
    assert store.start(waiting.run_id).state is State.RUNNING


def test_processes_that_ask_together_get_one_run(store: RunStore):
    queued = []

    def ask() -> None:
        with suppress(RunInProgressError):
            queued.append(store.queue(Trigger.SCHEDULE, scheduled_for=1000.0))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queued) == 1


def test_a_time_of_the_schedule_is_one_run_even_when_that_has_ended(store: RunStore):
    run = store.queue(Trigger.SCHEDULE, scheduled_for=1000.0)
    store.cancel(run.run_id)

    with pytest.raises(RunInProgressError, match=r"Another run is going on; wait"):
        store.queue(Trigger.SCHEDULE, scheduled_for=1000.0)
    assert store.last_scheduled() == 1000.0


def test_before_the_first_scheduled_run_the_first_of_all_counts(store: RunStore):
    assert store.last_scheduled() is None
    run = store.begin(Trigger.COMMAND)
    assert store.last_scheduled() == pytest.approx(run.queued_at)


def test_a_run_without_a_sign_of_life_is_recorded_as_cut_off(store: RunStore, database: Database):
    dead = store.begin(Trigger.COMMAND, seconds=0.05)
    store.beat(dead.run_id, [COLLECTING], seconds=0.05)
    time.sleep(0.1)
    left = store.time_left()
    assert left is not None
    assert left < 0

    assert store.end_those_cut_off() == [dead.run_id]
    ended = store.get(dead.run_id)
    assert (ended.state, ended.step, ended.error) == (
        State.FAILED,
        Step.COLLECT,
        "It was cut off: the process that ran it is gone.",
    )
    assert (store.end_those_cut_off(), store.time_left(), told(database)) == ([], None, ["run"])


def test_a_live_run_is_left_alone(store: RunStore):
    store.begin(Trigger.COMMAND)
    assert store.end_those_cut_off() == []


def test_what_waits_is_cancelled_at_once_and_what_goes_on_is_told(store: RunStore):
    waiting = store.queue(Trigger.REQUEST)
    assert store.cancel(waiting.run_id).state is State.CANCELLED
    with pytest.raises(RunEndedError, match=waiting.run_id):
        store.cancel(waiting.run_id)

    running = store.begin(Trigger.COMMAND)
    assert store.cancel(running.run_id).cancel_at is not None
    assert store.beat(running.run_id, runner="there:2") == Sign(is_to_stop=True)
    assert store.get(running.run_id).runner == "there:2"


def test_an_ended_run_does_not_start(store: RunStore):
    run = store.queue(Trigger.REQUEST)
    store.cancel(run.run_id)

    with pytest.raises(RunEndedError):
        store.start(run.run_id)


def test_there_may_be_no_such_run(store: RunStore):
    with pytest.raises(RunNotFoundError, match="nothing"):
        store.get("nothing")


def test_the_history_is_read_newest_first_and_forgotten_oldest_first(database: Database):
    now = [1000.0]
    store = RunStore(database, now=lambda: now[0])
    ids = []
    for _ in range(5):
        now[0] += 60
        ids.append(store.begin(Trigger.COMMAND).run_id)
        store.end(ids[-1], State.SUCCEEDED)

    total, newest = store.newest(2, offset=1)
    assert (total, [run.run_id for run in newest]) == (5, [ids[3], ids[2]])
    assert store.prune(2) == 3
    assert [run.run_id for run in store.newest(10)[1]] == [ids[4], ids[3]]
    assert store.prune(2) == 0


def test_a_database_that_fails_otherwise_says_so(store: RunStore, database: Database, monkeypatch: pytest.MonkeyPatch):
    def gone() -> None:
        raise DatabaseError("The database is away.")

    monkeypatch.setattr(database, "write", gone)
    with pytest.raises(DatabaseError, match="away"):
        store.queue(Trigger.REQUEST)


class TestLease:
    def test_one_holds_it_until_it_expires_or_is_given_up(self, database: Database):
        one, other = Lease(database, "leader", "one"), Lease(database, "leader", "other")
        assert one.take(0.2)
        assert one.take(0.2)
        assert not other.take()
        time.sleep(0.25)
        assert other.take()
        assert not one.take()
        one.give_up()
        assert not one.take()
        other.give_up()
        assert one.take()

    def test_of_many_who_ask_together_one_gets_it(self, database: Database):
        holders = []

        def ask(name: str) -> None:
            if Lease(database, "leader", name).take():
                holders.append(name)

        threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(holders) == 1


def test_a_notice_is_left(database: Database):
    Notices(database).add("quota", {"spent": 1})
    assert told(database) == ["quota"]
