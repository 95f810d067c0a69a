"""What a run tells of itself, and how it is stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.errors import DatabaseError, RunStoppedError, TrainingError
from app.core.run import Run, State, Step, Trigger
from app.core.runs import RunStore
from training import journal, patience
from training.journal import RunJournal, Unrecorded

ROOT = Path(__file__).parents[2]

# A run that works until it is interrupted, in a process group of its own; standard input is the service.
RUN = """
import os, sys, time
from app.core.database import Database
from app.core.run import Step
from app.core.runs import RunStore
from training.journal import RunJournal
journal = RunJournal(RunStore(Database("sqlite:///interactions.db")), sys.argv[1])
journal.watch_standard_input()
with journal.going_on(), journal.step(Step.TRAIN):
    print("working", flush=True)
    time.sleep(50)
"""


@pytest.fixture
def store() -> RunStore:
    database = Database("sqlite:///interactions.db")
    database.migrate()
    return RunStore(database)


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.begin(Trigger.COMMAND)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(patience, "SECONDS", 0.3)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.05)


def test_steps_and_progress_are_in_the_run_s_row(store: RunStore, run: Run):
    recorded = RunJournal(store, run.run_id)
    with recorded.going_on():
        with recorded.step(Step.COLLECT):
            recorded.advance(40, 100)
            recorded.must_go_on()
            step = store.get(run.run_id).steps[0]
            assert (step.name, step.done, step.total, step.seconds) == (Step.COLLECT, 40, 100, None)
        with recorded.step(Step.TRAIN):
            assert store.get(run.run_id).step is Step.TRAIN
        recorded.result = {"version": "v"}

    ended = store.get(run.run_id)
    assert (ended.state, ended.result, ended.error) == (State.SUCCEEDED, {"version": "v"}, None)
    assert [step.name for step in ended.steps] == [Step.COLLECT, Step.TRAIN]
    assert all(step.seconds is not None for step in ended.steps)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TrainingError("There is nothing to train on."), "There is nothing to train on."),
        (OSError(28, "No space left on device", "models"), "models: No space left on device"),
        (ZeroDivisionError("secret"), "An unexpected error: ZeroDivisionError."),
        (KeyboardInterrupt(), "It was interrupted."),
    ],
)
def test_how_a_run_failed_is_recorded_with_its_step(store: RunStore, run: Run, error: BaseException, expected: str):
    recorded = RunJournal(store, run.run_id)
    with pytest.raises(type(error)), recorded.going_on(), recorded.step(Step.EVALUATE):
        raise error

    ended = store.get(run.run_id)
    assert (ended.state, ended.step, ended.error) == (State.FAILED, Step.EVALUATE, expected)


def test_what_fails_once_the_result_is_there_is_a_warning(store: RunStore, run: Run):
    recorded = RunJournal(store, run.run_id)

    def publish_and_fail() -> None:
        with recorded.going_on(), recorded.step(Step.TRACK):
            recorded.keep_result({"version": "v"})
            assert store.get(run.run_id).result == {"version": "v"}
            raise TrainingError("It is too late.")

    with pytest.raises(TrainingError):
        publish_and_fail()

    ended = store.get(run.run_id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, None)
    assert ended.result["warnings"] == ["The run broke off once its result was there: It is too late."]


@pytest.mark.usefixtures("quick")
def test_a_cancelled_run_is_interrupted(store: RunStore, run: Run):
    recorded = RunJournal(store, run.run_id)
    store.cancel(run.run_id)
    with pytest.raises(KeyboardInterrupt), recorded.going_on(), recorded.step(Step.TRAIN):
        time.sleep(20)

    ended = store.get(run.run_id)
    assert (ended.state, ended.step, ended.error) == (State.CANCELLED, Step.TRAIN, "It was cancelled.")


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_taken_for_dead_stops_and_does_not_publish(store: RunStore, run: Run):
    recorded = RunJournal(store, run.run_id)
    store.end(run.run_id, State.FAILED, "It was cut off.")

    with pytest.raises(RunStoppedError, match="taken for dead"):
        recorded.must_go_on()
    with pytest.raises(KeyboardInterrupt), recorded.going_on():
        time.sleep(20)
    assert store.get(run.run_id).error == "It was cut off."


@pytest.mark.usefixtures("quick")
def test_a_database_that_is_away_for_a_moment_does_not_end_a_run(
    store: RunStore, run: Run, capsys: pytest.CaptureFixture[str]
):
    recorded = RunJournal(store, run.run_id)
    with recorded.going_on():
        Path("interactions.db").rename("away.db")
        with recorded.step(Step.TRAIN):
            time.sleep(0.2)
        Path("away.db").rename("interactions.db")

    assert store.get(run.run_id).state is State.SUCCEEDED
    assert "the run's row cannot be written" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_database_that_stays_away_ends_the_patience(store: RunStore, run: Run, capsys: pytest.CaptureFixture[str]):
    recorded = RunJournal(store, run.run_id)
    with recorded.going_on():
        Path("interactions.db").rename("away.db")
        with pytest.raises(DatabaseError, match="not there any more"):
            recorded.must_go_on()

    err = capsys.readouterr().err
    assert err.count("the database is away; waiting for it") == 2
    assert "the end of the run cannot be recorded" in err


def test_a_step_that_is_a_process_of_its_own_leaves_the_run_going_on(store: RunStore, run: Run):
    recorded = RunJournal(store, run.run_id, seconds=1000)
    with recorded.going_on_after(), recorded.step(Step.COLLECT):
        within = store.time_left()
    assert within is not None
    assert within > 900
    left = store.time_left()
    assert left is not None
    assert left > 900

    later = RunJournal(store, run.run_id, store.get(run.run_id).steps)
    with pytest.raises(RunStoppedError, match="interrupted"), later.going_on_after(), later.step(Step.VALIDATE):
        raise KeyboardInterrupt
    assert [step.name for step in store.get(run.run_id).steps] == [Step.COLLECT, Step.VALIDATE]
    assert store.get(run.run_id).state is State.RUNNING


@pytest.mark.usefixtures("quick")
def test_what_was_found_out_is_kept_unless_the_database_stays_away(
    store: RunStore, run: Run, capsys: pytest.CaptureFixture[str]
):
    recorded = RunJournal(store, run.run_id)
    recorded.keep("validation", {"rows": 1})
    Path("interactions.db").rename("away.db")

    recorded.keep("validation", {"rows": 2})

    assert capsys.readouterr().err.count("what was found out cannot be kept") == 1
    Path("away.db").rename("interactions.db")
    kept = store.documents.get("validation")
    assert kept is not None
    assert kept.body == {"run_id": run.run_id, "rows": 1}


def test_nobody_follows_an_unrecorded_run():
    unrecorded = Unrecorded()
    with unrecorded.step(Step.TRAIN):
        unrecorded.advance(1, 2)
        unrecorded.keep("validation", {})
        unrecorded.must_go_on()


def started(run: Run) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, run.run_id],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    return process


def test_when_the_service_goes_its_run_goes_too(store: RunStore, run: Run):
    with started(run) as process:
        assert process.stdin is not None
        process.stdin.write("still here")
        process.stdin.flush()
        time.sleep(0.1)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=20) == -signal.SIGKILL

    ended = store.get(run.run_id)
    assert (ended.state, ended.step) == (State.FAILED, Step.TRAIN)
    assert ended.error == "The service that had started it is gone."


def test_a_run_without_its_service_does_not_wait_for_the_database(store: RunStore, run: Run):
    with started(run) as process:
        Path("interactions.db").rename("away.db")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == -signal.SIGKILL

    Path("away.db").rename("interactions.db")
    assert store.get(run.run_id).state is State.RUNNING  # until it is found without a sign of life


def test_an_interrupted_run_says_so(store: RunStore, run: Run):
    with started(run) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == -signal.SIGINT

    assert store.get(run.run_id).error == "It was interrupted."


@pytest.mark.parametrize("is_over", [False, True])
def test_only_what_still_goes_on_is_ended_with_the_service(
    is_over: bool,  # noqa: FBT001  # pytest's
    store: RunStore,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
):
    """In this process, which must not be killed."""
    killed: list[int] = []
    reading, writing = os.pipe()
    os.write(writing, b"still here")
    os.close(writing)
    monkeypatch.setattr(journal, "_STANDARD_INPUT", reading)
    monkeypatch.setattr(os, "killpg", lambda _group, number: killed.append(number))
    recorded = RunJournal(store, run.run_id)
    if is_over:
        with recorded.going_on():
            pass

    recorded._end_alone()

    os.close(reading)
    assert killed == ([] if is_over else [signal.SIGKILL])
    assert store.get(run.run_id).state is (State.SUCCEEDED if is_over else State.FAILED)
