"""The trainer's supervisor, with a stand-in for the trainer."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app import child, retraining
from app.core.database import Database
from app.core.errors import DatabaseError, RunEndedError, RunNotFoundError
from app.core.run import Run, RunOptions, State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.retraining import Trainer, can_train
from tests.fakes import trainer as stand_in
from tests.worlds import check, within

Make = Callable[..., Trainer]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(child, "_LEAST_NICE", 0)  # whoever else works here is not to be waited for


@pytest.fixture
def runs(database: Database) -> RunStore:
    database.migrate()
    return RunStore(database)


@pytest.fixture
def make(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make a trainer whose child does as the mode says."""
    monkeypatch.setenv("DATABASE_URL", database_url)  # for the child
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    made: list[Trainer] = []

    def trainer(mode: str, may_begin: Callable[[], bool] = lambda: True, **settings: Any) -> Trainer:
        command = (sys.executable, stand_in.__file__, mode)
        made.append(Trainer(Settings(**settings), database, ModelStore(Path("models")), may_begin, command))
        return made[-1]

    yield trainer
    for trainer_ in made:
        trainer_.stop()


def state_of(trainer: Trainer, runs: RunStore, run_id: str, *states: State) -> Run:
    """Let a trainer work until a run is in a state, and nothing goes on where that is an end."""

    def look() -> Run:
        trainer.step()
        run = runs.get(run_id)
        assert run.state in states
        assert not (run.has_ended and trainer.is_busy)
        return run

    return within(30, look)


def stepped(trainer: Trainer, holds: Callable[[], bool]) -> None:
    trainer.step()
    assert holds()


def begun(trainer: Trainer, runs: RunStore) -> Run:
    """A run that goes on, and has written something."""
    run_id = runs.queue(Trigger.REQUEST).run_id

    def look() -> Run:
        trainer.step()
        run = runs.get(run_id)
        assert run.state is State.RUNNING
        assert run.log_tail
        return run

    return within(30, look)


def child_of(run: Run) -> int:
    return int(run.log_tail.split(" by ")[1])


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"


def test_a_run_that_waits_is_taken_up_and_followed_to_its_end(
    make: Make, runs: RunStore, caplog: pytest.LogCaptureFixture
):
    trainer = make("succeed")
    run_id = runs.queue(Trigger.REQUEST, RunOptions(tune=3)).run_id

    run = state_of(trainer, runs, run_id, State.SUCCEEDED)

    assert (run.result, run.error) == ({"version": "20260101T000000-000000"}, None)
    within(5, lambda: check(runs.get(run_id).log_tail.startswith(f"run {run_id} by ")))
    assert Path(f"data/runs/{run_id}.log").read_text().startswith(f"run {run_id} by ")
    assert "training run succeeded" in caplog.text
    trainer.step()
    assert not trainer.is_busy


def test_nothing_begins_where_it_may_not_or_another_run_goes_on_or_none_waits(make: Make, runs: RunStore):
    trainer = make("succeed")
    trainer.step()
    run_id = runs.queue(Trigger.REQUEST).run_id
    make("succeed", may_begin=lambda: False).step()
    assert runs.get(run_id).state is State.QUEUED

    runs.start(run_id)
    waits = runs.queue(Trigger.REQUEST).run_id
    trainer.step()
    assert not trainer.is_busy
    assert runs.get(waits).state is State.QUEUED


@pytest.mark.parametrize("ahead", ["another", "ended", "not found"])
def test_a_run_that_another_process_takes_in_the_same_moment_is_left_to_it(
    ahead: str, make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch
):
    trainer, start = make("succeed"), RunStore.start
    run_id = runs.queue(Trigger.REQUEST).run_id

    def too_late(store: RunStore, run_id: str, runner: str | None = None) -> Run:
        if ahead == "another":
            start(store, run_id, "elsewhere:1")
            return start(store, run_id, runner)
        raise (RunEndedError if ahead == "ended" else RunNotFoundError)(run_id)

    monkeypatch.setattr(RunStore, "start", too_late)
    trainer.step()

    assert not trainer.is_busy
    if ahead == "another":
        assert runs.get(run_id).runner == "elsewhere:1"


def test_a_run_that_fails_says_why_and_tells_no_secret(make: Make, runs: RunStore, caplog: pytest.LogCaptureFixture):
    aside = Path("models/.aside-20260101T000000-000000")
    aside.mkdir(parents=True)
    trainer = make("fail", rawg_api_key=SecretStr(stand_in.SECRET), steam_api_key=SecretStr("known"))

    run = state_of(trainer, runs, runs.queue(Trigger.REQUEST).run_id, State.FAILED)

    assert run.error == "RAWG does not know the key [secret], \ufffd it says."
    within(5, lambda: check("[secret]" in runs.get(run.run_id).log_tail))
    assert stand_in.SECRET not in runs.get(run.run_id).log_tail + caplog.text
    assert run.error in caplog.text
    assert not aside.exists()


def test_a_model_store_that_cannot_be_tidied_costs_a_line(make: Make, runs: RunStore, caplog: pytest.LogCaptureFixture):
    Path("models").mkdir(exist_ok=True)
    Path("models/.aside-20260101T000000-000000").write_text("no folder")

    state_of(make("fail"), runs, runs.queue(Trigger.REQUEST).run_id, State.FAILED)

    assert "cannot be removed" in caplog.text


def test_a_child_that_is_killed_leaves_a_failed_run_with_its_step(make: Make, runs: RunStore):
    trainer = make("go on")
    run = begun(trainer, runs)
    runs.beat(run.run_id, [StepTaken(Step.TRAIN, time.time())])
    os.kill(child_of(run), signal.SIGKILL)

    failed = state_of(trainer, runs, run.run_id, State.FAILED)

    assert (failed.error, failed.step) == ("It was killed by signal 9 (SIGKILL).", Step.TRAIN)
    again = runs.queue(Trigger.REQUEST).run_id
    state_of(trainer, runs, again, State.RUNNING)


@pytest.mark.parametrize(("mode", "most"), [("go on", 5.0), ("stubborn", 8.0)])
def test_a_run_is_cancelled(mode: str, most: float, make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retraining, "KILL_SECONDS", 1.0)
    trainer = make(mode)
    run = begun(trainer, runs)
    runs.cancel(run.run_id)
    asked_at = time.monotonic()

    cancelled = state_of(trainer, runs, run.run_id, State.CANCELLED)

    assert time.monotonic() - asked_at < most
    assert cancelled.error == "It was cancelled."
    assert is_gone(child_of(run))


def test_a_run_that_waits_and_is_cancelled_does_not_start(make: Make, runs: RunStore):
    trainer = make("go on")
    run_id = runs.queue(Trigger.REQUEST).run_id
    runs.cancel(run_id)

    trainer.step()

    assert not trainer.is_busy


def test_a_run_has_a_time_limit(make: Make, runs: RunStore):
    trainer = make("go on", retrain_time_limit=5 / 60)
    run = begun(trainer, runs)

    failed = state_of(trainer, runs, run.run_id, State.FAILED)

    assert failed.error == "It took longer than 0.0833333 min (RETRAIN_TIME_LIMIT)."
    assert is_gone(child_of(run))


def test_a_run_whose_end_is_recorded_may_linger_but_not_for_ever(
    make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch
):
    trainer = make("linger", wandb_timeout=0.1)
    run_id = runs.queue(Trigger.REQUEST).run_id
    within(30, lambda: stepped(trainer, lambda: runs.get(run_id).state is State.SUCCEEDED))
    trainer.step()
    trainer.step()
    assert trainer.is_busy

    monkeypatch.setattr(retraining, "LINGER_SECONDS", 0.0)

    assert state_of(trainer, runs, run_id, State.SUCCEEDED).error is None


def test_the_service_stops_while_a_run_goes_on(make: Make, runs: RunStore):
    trainer = make("stubborn")
    run = begun(trainer, runs)
    begun_at = time.monotonic()

    trainer.stop()

    assert time.monotonic() - begun_at < 4.5
    ended = runs.get(run.run_id)
    assert (ended.state, ended.error) == (State.FAILED, "The service was stopped while it ran.")
    assert is_gone(child_of(run))
    waits = runs.queue(Trigger.REQUEST).run_id
    trainer.step()
    assert runs.get(waits).state is State.QUEUED
    trainer.stop()


def test_the_service_stops_while_the_database_is_away(
    make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    trainer = make("go on")
    run = begun(trainer, runs)
    monkeypatch.setattr(RunStore, "end", _away)

    trainer.stop()

    assert "cannot be recorded" in caplog.text
    assert is_gone(child_of(run))


def test_a_stop_does_not_wait_for_a_step_that_hangs(make: Make, runs: RunStore):
    trainer = make("go on")
    run = begun(trainer, runs)
    with trainer._lock:
        begun_at = time.monotonic()
        trainer.stop()
        assert time.monotonic() - begun_at < 4.5
    assert is_gone(child_of(run))


def _away(*_args: object, **_options: object) -> None:
    raise DatabaseError("The database is away.")


def test_while_the_database_is_away_a_run_goes_on_and_what_came_of_it_is_recorded_later(
    make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    trainer = make("go on")
    run = begun(trainer, runs)
    with monkeypatch.context() as patch:
        for name in ("beat", "end", "going_on", "keep_log"):
            patch.setattr(RunStore, name, _away)
        trainer.step()
        trainer.step()
        assert trainer.is_busy
        assert not is_gone(child_of(run))
        os.kill(child_of(run), signal.SIGKILL)
        within(20, lambda: stepped(trainer, lambda: not trainer.is_busy))
        trainer.step()
    assert runs.get(run.run_id).state is State.RUNNING
    assert caplog.text.count("training runs cannot be looked after") == 1

    trainer.step()

    assert runs.get(run.run_id).error == "It was killed by signal 9 (SIGKILL)."


def test_a_time_limit_holds_while_the_database_is_away(make: Make, runs: RunStore, monkeypatch: pytest.MonkeyPatch):
    trainer = make("go on", retrain_time_limit=5 / 60)
    run = begun(trainer, runs)
    with monkeypatch.context() as patch:
        for name in ("beat", "end", "keep_log"):
            patch.setattr(RunStore, name, _away)
        within(20, lambda: stepped(trainer, lambda: not trainer.is_busy))
    assert is_gone(child_of(run))

    trainer.step()

    assert str(runs.get(run.run_id).error).startswith("It took longer than")


def test_a_log_that_cannot_be_opened_fails_the_run_and_says_so(make: Make, runs: RunStore):
    Path("data").mkdir(exist_ok=True)
    Path("data/runs").write_text("in the way")

    run = state_of(make("succeed"), runs, runs.queue(Trigger.REQUEST).run_id, State.FAILED)

    assert run.error == "It could not be started: data/runs: File exists."


def test_old_runs_are_forgotten_with_their_logs(make: Make, runs: RunStore):
    trainer = make("succeed", runs_kept=2)
    ids = []
    for second in range(3):
        runs._now = lambda second=second: 1_800_000_000.0 + second
        ids.append(runs.queue(Trigger.REQUEST).run_id)
        state_of(trainer, runs, ids[-1], State.SUCCEEDED)

    assert [run.run_id for run in runs.newest(10)[1]] == ids[:0:-1]
    assert sorted(path.stem for path in Path("data/runs").iterdir()) == ids[1:]


def test_a_log_that_cannot_be_removed_costs_a_line(make: Make, runs: RunStore, caplog: pytest.LogCaptureFixture):
    Path("data/runs/20000101T000000-000000.log").mkdir(parents=True)

    state_of(make("succeed", runs_kept=1), runs, runs.queue(Trigger.REQUEST).run_id, State.SUCCEEDED)

    assert "the logs of old runs cannot be removed" in caplog.text


def test_only_a_process_that_may_and_can_trains(monkeypatch: pytest.MonkeyPatch):
    assert can_train(Settings(retrain_enabled=True))
    assert not can_train(Settings(retrain_enabled=False))
    monkeypatch.setattr(retraining, "find_spec", lambda _name: None)
    assert not can_train(Settings(retrain_enabled=True))
