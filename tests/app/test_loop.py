"""Training runs through real services, with a stand-in for the trainer unless a test says otherwise."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.database import Database
from app.core.run import Run, State, Trigger
from app.core.runs import RunStore
from app.core.store import ModelStore
from app.core.tables import leases
from tests.app.test_start import Service, at_full_speed, unmeasured
from tests.fakes import trainer as stand_in
from tests.worlds import check, publish, within

pytestmark = pytest.mark.untraced

KEY = "admin-key-of-the-tests"
HOUR = 3600.0


class World:
    """A database, and services on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self.database.migrate()
        self.runs = RunStore(self.database)
        publish(ModelStore(Path("models")))

    @contextmanager
    def serving(self, **environment: str) -> Iterator[Service]:
        with unmeasured(DATABASE_URL=self.url, ADMIN_API_KEY=KEY, **at_full_speed(), **environment) as service:
            service.wait_for("startup complete")
            yield service

    def leader(self) -> str:
        """Who leads, as `host:pid/…`."""
        with self.database.read() as connection:
            return str(connection.scalar(sa.select(leases.c.holder).where(leases.c.name == "leader")))

    def run(self, run_id: str, state: State, holds: Callable[[Run], object] = bool, seconds: float = 20) -> Run:
        """Wait until a run is in a state."""

        def look() -> Run:
            run = self.runs.get(run_id)
            assert run.state is state
            assert holds(run)
            return run

        return within(seconds, look)

    def child(self, run_id: str) -> int:
        """The process that a run goes on in."""
        return int(self.run(run_id, State.RUNNING, lambda run: run.log_tail).log_tail.split(" by ")[1])


@pytest.fixture
def world() -> Iterator[World]:
    """On SQLite; what several processes do on PostgreSQL has tests of its own."""
    made = World("sqlite:///interactions.db")
    yield made
    made.database.close()


def stands_in(mode: str, folder: Path = Path()) -> None:
    """Let `python -m training run` in a folder be the stand-in, which does as the mode says."""
    (folder / "training").mkdir(exist_ok=True)
    (folder / "training/__init__.py").touch()
    code = (
        f"import runpy, sys\nsys.argv.insert(1, {mode!r})\nrunpy.run_path({stand_in.__file__!r}, run_name='__main__')"
    )
    (folder / "training/__main__.py").write_text(code)


def asked(service: Service, path: str = "/retrain", **body: object) -> Any:
    return service.post(path, body, **{"X-API-Key": KEY})


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"


def ends_its_run(service: Service, world: World) -> None:
    """Stop a service, and see that its run has ended with it."""
    run_id = asked(service)["run_id"]
    pid = world.child(run_id)
    begun = time.monotonic()
    service.process.terminate()
    service.process.wait(timeout=10)
    assert time.monotonic() - begun < 5
    run = world.runs.get(run_id)
    assert (run.state, run.error) == (State.FAILED, "The service was stopped while it ran.")
    assert is_gone(pid)
    assert world.leader() == "None"  # it gave the lease up


def test_a_run_is_taken_up_within_two_seconds_can_be_cancelled_and_ends_with_its_service(world: World):
    stands_in("go on")
    with world.serving() as service:
        service.wait_for("looks after the training runs now")
        run_id = asked(service)["run_id"]
        asked_at = time.monotonic()
        world.run(run_id, State.RUNNING)
        assert time.monotonic() - asked_at < 2.0
        pid = world.child(run_id)

        asked(service, f"/retrain/{run_id}/cancel")

        world.run(run_id, State.CANCELLED)
        within(5, lambda: check(is_gone(pid)))
        assert service.get("/health/live") == {"status": "live"}

        stands_in("stubborn")
        ends_its_run(service, world)


def test_a_serving_only_replica_accepts_what_another_carries_out(world: World):
    stands_in("succeed")
    with world.serving(RETRAIN_ENABLED="false") as serving:
        run_id = asked(serving)["run_id"]
        time.sleep(2.5)
        assert world.runs.get(run_id).state is State.QUEUED
        with world.serving() as other:
            world.run(run_id, State.SUCCEEDED)
            within(10, lambda: other.log.index("training run succeeded"))


def test_a_service_of_two_workers_that_stops_ends_its_run(world: World):
    stands_in("stubborn")
    with world.serving(WORKERS="2") as service:
        service.wait_for("looks after the training runs now")
        ends_its_run(service, world)


def test_a_service_that_is_killed_leaves_no_trainer_and_the_next_leader_says_so(world: World):
    stands_in("go on")
    with world.serving() as service:
        run_id = asked(service)["run_id"]
        pid = world.child(run_id)
        service.process.kill()
        within(5, lambda: check(is_gone(pid)))
    assert world.runs.get(run_id).state is State.RUNNING

    stands_in("succeed")
    with world.serving() as service:
        run = world.run(run_id, State.FAILED, seconds=40)
        assert run.error == "It was cut off: the process that ran it is gone."
        service.wait_for("training run cut off")


def test_a_missed_run_is_made_up_for_by_the_next_start(world: World):
    stands_in("succeed")
    missed = datetime.fromtimestamp(time.time() - HOUR, UTC)
    cron = f"{missed.minute} {missed.hour} * * *"
    run = world.runs.queue(Trigger.SCHEDULE, scheduled_for=time.time() - 30 * HOUR)
    world.runs.end(run.run_id, State.SUCCEEDED)
    with world.serving(RETRAIN_CRON=cron, RETRAIN_GRACE_HOURS="0.5") as service:
        service.wait_for("looks after the training runs now")
        time.sleep(2.5)
        assert world.runs.newest(10)[0] == 1
    for _ in range(2):
        with world.serving(RETRAIN_CRON=cron, RETRAIN_GRACE_HOURS="2") as service:
            service.wait_for("looks after the training runs now")
            within(20, lambda: check(world.runs.newest(1)[1][0].state is State.SUCCEEDED))
            time.sleep(2.5)
        assert world.runs.newest(10)[0] == 2


@pytest.mark.timeout(240)
def test_many_processes_run_once_a_tick_and_another_takes_over_when_the_leader_is_killed(postgres_url: str):
    """Two replicas with two workers each: both a replica's own workers and the other's must not run it again."""
    stands_in("succeed")
    world = World(postgres_url)
    with ExitStack() as replicas:
        services = [
            replicas.enter_context(world.serving(WORKERS="2", RETRAIN_CRON="* * * * *", DATA_DIR=f"data-{number}"))
            for number in range(2)
        ]
        leader = within(60, lambda: _other_than("None", world))
        killed_at = time.monotonic()
        os.kill(int(leader.split(":")[1].split("/")[0]), signal.SIGKILL)
        second = within(30, lambda: _other_than(leader, world))
        assert time.monotonic() - killed_at < 15
        within(130, lambda: check(len(_ticks(world)) >= 2))
        assert world.leader() == second
    ticks = _ticks(world)
    told = sum(service.log.count("training run queued") for service in services)
    assert [run.trigger for run in ticks] == [Trigger.SCHEDULE] * len(ticks)
    minutes = [int(run.queued_at // 60) for run in ticks]
    assert len(set(minutes)) == len(minutes) == told
    world.database.close()


def _other_than(leader: str, world: World) -> str:
    found = world.leader()
    assert found != leader
    return found


def _ticks(world: World) -> list[Run]:
    return world.runs.newest(100)[1]
