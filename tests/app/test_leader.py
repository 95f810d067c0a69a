"""The leader among all processes, and the runs that it queues unasked."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.leases import LEASE_SECONDS, Lease
from app.core.run import Run, State, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.due_runs import TRY_AGAIN_SECONDS, DueRuns
from app.leader import Leader
from tests.worlds import publish

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class World:
    """A database, a store with a model, and a clock that says noon."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock(NOON)
        self.seconds = Clock(1000.0)
        self.database = database
        self.runs = RunStore(database, self.clock)
        self.models = ModelStore(Path("models"))

    def due(self, **settings: Any) -> DueRuns:
        return DueRuns(Settings(**settings), self.runs, self.models, self.clock)

    def leader(self, **settings: Any) -> Leader:
        return Leader(self.database, self.runs, self.models, self.due(**settings), self.seconds)

    def queued(self) -> list[Run]:
        return self.runs.newest(100)[1]

    def ran(self, trigger: Trigger, at: float, scheduled_for: float | None = None) -> None:
        """Let a run have taken place."""
        self.clock.now = at
        self.runs.end(self.runs.queue(trigger, scheduled_for=scheduled_for).run_id, State.SUCCEEDED)
        self.clock.now = NOON


@pytest.fixture
def world(database: Database) -> World:
    database.migrate()
    made = World(database)
    publish(made.models)
    return made


def _away(*_args: object, **_options: object) -> None:
    raise DatabaseError("The database is away.")


def test_a_tick_queues_one_run_however_many_leaders_there_are(world: World, caplog: pytest.LogCaptureFixture):
    for _ in range(2):
        world.due(retrain_cron="0 12 * * *").tick()

    [run] = world.queued()
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.QUEUED)
    assert world.runs.last_scheduled() == NOON
    assert "no training run queued" in caplog.text
    world.runs.end(run.run_id, State.SUCCEEDED)
    world.due(retrain_cron="0 12 * * *").tick()
    assert len(world.queued()) == 1


def test_a_tick_that_comes_late_by_chance_is_of_the_time_in_the_schedule(world: World):
    world.due(retrain_cron="30 11 * * *", retrain_jitter=3600, retrain_grace_hours=0).tick()

    assert world.runs.last_scheduled() == NOON - HOUR / 2


def test_a_tick_keeps_to_the_time_zone(world: World):
    world.due(retrain_cron="0 21 * * *", retrain_timezone="Asia/Seoul").tick()

    assert world.runs.last_scheduled() == NOON


@pytest.mark.parametrize(("grace", "made_up"), [(3.0, True), (1.9, False), (0.0, False)])
def test_a_missed_run_is_made_up_for_once_and_within_the_grace(grace: float, *, made_up: bool, world: World):
    """The last run was two days ago; the last of those missed, two hours."""
    world.ran(Trigger.SCHEDULE, NOON - 50 * HOUR, scheduled_for=NOON - 50 * HOUR)
    due = world.due(retrain_cron="0 10 * * *", retrain_grace_hours=grace)
    for _ in range(2):
        due.make_up()

    assert [run.trigger for run in world.queued()[:-1]] == [Trigger.SCHEDULE] * made_up
    if made_up:
        assert world.runs.last_scheduled() == NOON - 2 * HOUR
        world.runs.end(world.queued()[0].run_id, State.FAILED)
        due.make_up()
        assert len(world.queued()) == 2


def test_nothing_was_missed_before_the_first_run_of_all(world: World):
    due = world.due(retrain_cron="0 10 * * *")
    due.make_up()
    assert not world.queued()

    world.ran(Trigger.COMMAND, NOON - HOUR)
    due.make_up()
    assert len(world.queued()) == 1


def test_a_start_without_a_model_asks_for_one(database: Database):
    database.migrate()
    world = World(database)

    assert world.due().begin()

    assert [run.trigger for run in world.queued()] == [Trigger.START]


def test_a_start_with_a_key_and_the_starters_model_asks_for_one_of_the_live_catalogue(world: World):
    key = SecretStr("a key")
    assert world.due().begin()
    assert not world.queued()

    assert world.due(rawg_api_key=key).begin()

    assert [run.trigger for run in world.queued()] == [Trigger.START]
    assert not world.due(rawg_api_key=key).begin()  # not before it is known what came of that
    world.runs.end(world.queued()[0].run_id, State.FAILED)
    assert world.due(rawg_api_key=key).begin()
    assert len(world.queued()) == 1
    world.clock.now += TRY_AGAIN_SECONDS
    assert world.due(rawg_api_key=key).begin()
    assert len(world.queued()) == 2
    publish(world.models, "20260102T000000-000000", catalogue_source="rawg")
    assert world.due(rawg_api_key=key).begin()


def test_a_current_model_that_cannot_be_used_is_left_to_a_person(world: World, caplog: pytest.LogCaptureFixture):
    Path("models/current").write_text("garbage")

    assert world.due().begin()

    assert not world.queued()
    assert "activate another, or train anew" in caplog.text


def test_one_leads_and_another_takes_over_when_it_stops(world: World, caplog: pytest.LogCaptureFixture):
    one, other = world.leader(), world.leader()
    for _ in range(2):
        for leader in (one, other):
            leader.beat()
    assert (one.leads, other.leads) == (True, False)
    assert caplog.text.count("looks after the training runs now") == 1

    one.stop()
    one.beat()
    other.beat()

    assert (one.leads, other.leads) == (False, True)


def test_a_leader_that_is_not_heard_of_is_replaced(world: World, caplog: pytest.LogCaptureFixture):
    one, other = world.leader(), world.leader()
    one.beat()
    world.seconds.now += LEASE_SECONDS
    assert not one.leads
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE leases SET expires_at = 0")

    other.beat()
    one.beat()

    assert (one.leads, other.leads) == (False, True)
    assert "another process took the lease" in caplog.text


def test_a_leader_without_its_database_does_not_lead(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    leader = world.leader()
    leader.beat()
    with monkeypatch.context() as patch:
        patch.setattr(Lease, "take", _away)
        leader.beat()
        leader.beat()
    assert not leader.leads
    assert caplog.text.count("does not look after the training runs any more") == 1

    leader.beat()

    assert leader.leads


def test_a_lease_that_cannot_be_given_up_expires_by_itself(world: World, monkeypatch: pytest.MonkeyPatch):
    leader = world.leader()
    leader.beat()
    monkeypatch.setattr(Lease, "give_up", _away)

    leader.stop()

    assert not leader.leads


def test_a_stop_does_not_wait_for_a_beat_that_hangs(world: World):
    leader = world.leader()
    leader.beat()
    with leader._lock:
        begun = time.monotonic()
        leader.stop()
        assert time.monotonic() - begun < 2
    assert leader.leads  # and the next beat does nothing
    world.leader().stop()


def test_what_was_missed_is_made_up_for_by_a_new_leader(world: World):
    world.ran(Trigger.SCHEDULE, NOON - 26 * HOUR, scheduled_for=NOON - 26 * HOUR)
    one, other = (world.leader(retrain_cron="0 10 * * *") for _ in range(2))

    other.tick()  # does not lead
    assert len(world.queued()) == 1
    one.beat()

    assert [run.trigger for run in world.queued()] == [Trigger.SCHEDULE] * 2


def test_a_tick_while_the_database_is_away_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    world.ran(Trigger.COMMAND, NOON - HOUR)
    leader = world.leader(retrain_cron="0 12 * * *")
    world.clock.now = NOON - 1
    leader.beat()
    world.clock.now = NOON
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "queue", _away)
        leader.tick()
    assert "cannot be queued yet" in caplog.text
    assert len(world.queued()) == 1

    leader.beat()

    assert world.runs.last_scheduled() == NOON
    leader.tick()
    assert len(world.queued()) == 2


def a_run_that_was_cut_off(world: World) -> str:
    run_id = world.runs.queue(Trigger.REQUEST).run_id
    world.runs.start(run_id, seconds=-1.0)
    return run_id


def test_what_was_cut_off_is_ended_once_the_living_had_the_time_to_give_a_sign(
    world: World, caplog: pytest.LogCaptureFixture
):
    run_id = a_run_that_was_cut_off(world)
    aside = Path("models/.aside-20260101T000000-000001")
    aside.mkdir()
    leader = world.leader()
    for _ in range(6):
        leader.beat()
        assert world.runs.get(run_id).state is State.RUNNING
        world.seconds.now += 2.0

    leader.beat()

    assert world.runs.get(run_id).state is State.FAILED
    assert not aside.exists()
    assert "training run cut off" in caplog.text


@pytest.mark.parametrize("gap", ["database", "stopped"])
def test_after_a_gap_the_living_have_the_time_again(gap: str, world: World, monkeypatch: pytest.MonkeyPatch):
    """While the database was away nobody could give a sign, and everything looks dead."""
    leader = world.leader()
    beats(leader, world, 6)
    if gap == "database":
        with monkeypatch.context() as patch:
            patch.setattr(Lease, "take", _away)
            leader.beat()
    else:
        world.seconds.now += LEASE_SECONDS
    run_id = a_run_that_was_cut_off(world)

    beats(leader, world, 5)
    assert world.runs.get(run_id).state is State.RUNNING
    beats(leader, world, 2)

    assert world.runs.get(run_id).state is State.FAILED


def beats(leader: Leader, world: World, number: int) -> None:
    for _ in range(number):
        world.seconds.now += 2.0
        leader.beat()
