"""The steps of a run as processes of their own, as a scheduler calls them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from app.core.database import Database
from app.core.errors import TrainingError
from app.core.run import Run, State, Step, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.fakes import rawg
from tests.training.conftest import Command
from tests.worlds import publish
from training.candidate_files import CandidateFiles
from training.workspace import Workspace

RUN_ID = "20261126T040000-abcdef"
STEPS = ("collect", "validate", "train", "evaluate", "publish")
FINAL = 3


def take(command: Command, *names: str) -> str:
    for name in names:
        code, _, err = command("step", name, "--run-id", RUN_ID)
        assert code == 0, err
    return err


def the_run() -> Run:
    return RunStore(Database("sqlite:///data/interactions.db")).get(RUN_ID)


def test_the_steps_do_what_a_run_does(command: Command):
    told = take(command, *STEPS, "recommend")
    assert len(re.findall(r"^\w+: .+, .+, .+, .+, .+$", told, re.MULTILINE)) == 3
    assert the_run().state is State.RUNNING
    assert command("run").code == 1

    take(command, "notify")

    run = the_run()
    assert (run.state, run.trigger, run.error) == (State.SUCCEEDED, Trigger.AIRFLOW, None)
    assert [step.name for step in run.steps] == [*map(Step, STEPS), Step.TRACK]
    store = ModelStore(Path("models"))
    assert run.result["version"] == store.current_version()
    assert not Path("data/runs", RUN_ID).exists()
    by_steps = store.current() or pytest.fail("nothing is current")

    assert command("run", "--force").code == 0
    at_once = store.current() or pytest.fail("nothing is current")
    for fact in ("metrics", "config", "counts", "data_fingerprint"):
        assert getattr(by_steps.manifest, fact) == getattr(at_once.manifest, fact)
    assert by_steps.manifest.sha256 == at_once.manifest.sha256
    reports = [
        orjson.loads((store._root / one.manifest.version / "report.json").read_bytes()) for one in (by_steps, at_once)
    ]
    assert reports[0].keys() == reports[1].keys()


@pytest.mark.usefixtures("key")
def test_a_live_catalogue_passes_from_step_to_step_by_its_folder(command: Command, fake_rawg: rawg.FakeRawg):
    publish(ModelStore(Path("models")), data_kind="observed")
    take(command, *STEPS, "notify")

    current = ModelStore(Path("models")).current() or pytest.fail("nothing is current")
    assert (current.manifest.catalogue_source, current.manifest.counts.games) == ("rawg", len(fake_rawg.games))
    assert the_run().result["before"]["version"] == "20260101T000000-000000"


@pytest.mark.usefixtures("key")
def test_too_few_games_for_a_test_are_no_evaluation(command: Command, fake_rawg: rawg.FakeRawg):
    fake_rawg.games = fake_rawg.games[:12]
    Path("plays.csv").write_text("user_id,game_id\na,1\nb,2\n")
    assert command("import", "plays.csv").code == 0

    take(command, *STEPS, "notify")

    assert "model" not in the_run().result["metrics"]


def test_what_another_attempt_does_not_mend_has_a_code_of_its_own(command: Command, monkeypatch: pytest.MonkeyPatch):
    version = publish(ModelStore(Path("models")))
    monkeypatch.setenv("VALIDATION_MIN_GAMES", "100000")
    take(command, "collect")

    code, _, err = command("step", "validate", "--run-id", RUN_ID)
    assert code == FINAL
    assert err.splitlines()[-1].startswith("error: ")
    assert command("step", "train", "--run-id", RUN_ID).code == FINAL
    take(command, "notify")

    run = the_run()
    assert run.state is State.FAILED
    assert run.step is Step.TRAIN
    assert run.error is not None
    assert "the step that makes it has not gone well" in run.error
    assert ModelStore(Path("models")).current_version() == version


def test_a_step_that_went_well_at_last_leaves_no_error(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VALIDATION_MIN_GAMES", "100000")
    take(command, "collect", "collect")
    assert command("step", "validate", "--run-id", RUN_ID).code == FINAL
    monkeypatch.delenv("VALIDATION_MIN_GAMES")
    take(command, "validate", "notify")

    run = the_run()
    assert (run.state, run.error) == (State.FAILED, "A step did not go well.")


def test_another_version_that_became_current_meanwhile_is_not_what_the_model_was_trained_against(command: Command):
    take(command, "collect", "validate", "train")
    publish(ModelStore(Path("models")))

    code, _, err = command("step", "evaluate", "--run-id", RUN_ID)

    assert (code, "Another version has become current" in err) == (FINAL, True)
    assert command("step", "publish", "--run-id", RUN_ID).code == FINAL


def test_a_cancelled_run_takes_no_step_more(command: Command):
    take(command, "collect")
    RunStore(Database("sqlite:///data/interactions.db")).cancel(RUN_ID)

    code, _, err = command("step", "validate", "--run-id", RUN_ID)

    assert (code, "It was cancelled." in err) == (FINAL, True)


def test_there_is_nothing_to_recommend_from_before_the_first_model(command: Command):
    take(command, "collect")

    assert "There is no model to recommend from." in command("step", "recommend", "--run-id", RUN_ID).err
    with pytest.raises(TrainingError, match="holds no candidate"):
        CandidateFiles(Workspace(Settings(), RUN_ID)).read()
    assert "holds no champion" in command("step", "evaluate", "--run-id", RUN_ID).err


def test_an_attached_step_ends_with_whoever_started_it_and_is_taken_again(fake_rawg: rawg.FakeRawg):
    fake_rawg.faults = {1: [rawg.slow(30)]}
    root = Path(__file__).parents[2]
    environment = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "PYTHONPATH": str(root)}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "training", "step", "collect", "--run-id", RUN_ID, "--attached"],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    with start() as step:
        while not fake_rawg.asked_for()[1]:
            assert step.poll() is None
            time.sleep(0.05)
        assert step.stdin is not None
        step.stdin.close()
        assert step.wait(40) == -signal.SIGTERM

    left = RunStore(Database("sqlite:///data/interactions.db")).time_left()
    assert left is not None
    assert left > 7000
    with start() as step:
        assert step.wait(40) == 0
    assert [taken.name for taken in the_run().steps] == [Step.COLLECT, Step.COLLECT]


def test_a_wrong_setting_is_not_mended_by_another_attempt(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VALIDATION_MIN_GAMES", "many")

    code, _, err = command("step", "collect", "--run-id", RUN_ID)

    assert (code, "VALIDATION_MIN_GAMES" in err) == (FINAL, True)


@pytest.mark.parametrize("run_id", ["../../etc", "20261126T040000-ABCDEF", ""])
def test_a_run_s_name_is_no_path(command: Command, run_id: str):
    code, _, err = command("step", "collect", "--run-id", run_id)

    assert (code, "20261126T040000-3f9a1c" in err) == (2, True)
