"""The DAG in a real Airflow, of an environment of its own: with a stand-in for the steps, and with the real ones.

Airflow alone takes about 15 s of processor time to come up, so one process runs the DAG as often as all the tests want.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock
from pytest_httpserver import HTTPServer

from app.core.database import Database
from app.core.run import State, Step, Trigger
from app.core.runs import RunStore
from app.core.store import ModelStore

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
DAGS = ROOT / "dags"
STEPS = ("collect", "validate", "train", "evaluate", "publish", "recommend")
WELL = dict.fromkeys((*STEPS, "notify", "outcome"), "success")


class Told(NamedTuple):
    """What a child process found out, and what it wrote."""

    found: dict[str, Any]
    log: str


class StandIn:
    """A project whose steps do as they are told, and keep a record of it in a folder of each run's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.home = folder / "stand-in"
        (self.home / "training").mkdir(parents=True)
        shutil.copy(ROOT / "tests" / "fakes" / "steps.py", self.home / "training" / "__main__.py")

    def run(self, name: str, plan: dict[str, list[int | str]], **more: Any) -> dict[str, Any]:
        (self._folder / name).mkdir()
        environment = {"DATA_DIR": str(self._folder / name), "PLAN": json.dumps(plan), **at(self.home)}
        return {**more, "environment": environment}

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / name / "calls.jsonl").read_text().splitlines()]

    def pids(self, name: str, run_id: str) -> list[str]:
        return (self._folder / name / "runs" / run_id / "pids").read_text().split()


def at(home: Path | str) -> dict[str, str]:
    """Say where the project is."""
    return {"GAME_RECOMMENDER_HOME": str(home)}


@pytest.fixture(scope="session")
def airflow() -> Path:
    """The Python of Airflow's environment, which is brought up to date with its lock file."""
    python = DAGS / ".venv" / "bin" / "python"
    locks = ROOT / ".pytest_cache"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / "dags.lock"):  # pytest-xdist's other worker may be here too
        uv = shutil.which("uv", path=f"{ROOT / '.uv' / 'bin'}:{os.environ['PATH']}")
        if uv is None and not python.exists():
            pytest.fail("dags/.venv is missing, and there is no uv to make it: run `uv sync --frozen --project dags`.")
        if uv is not None:
            making: list[str | Path] = [uv, "sync", "--quiet", "--frozen", "--project", DAGS]
            ours = ("UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV")  # what the tests run on is not for Airflow
            others = {name: value for name, value in os.environ.items() if name not in ours}
            made = subprocess.run(making, env=others, capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.fail(f"dags/.venv could not be made by `uv sync --frozen --project dags`: {made.stderr}")
    return python


def ask(airflow: Path, folder: Path, *runs: dict[str, Any], **environment: str) -> Told:
    """Run the DAG, once for each run that is asked for, in a new Airflow."""
    asked, told = folder / "asked.json", folder / "told.json"
    asked.write_text(json.dumps(runs))
    with (folder / "airflow.log").open("wb") as log:
        subprocess.run(
            [airflow, ROOT / "tests" / "airflow_child.py", asked, told],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
                "AIRFLOW_HOME": str(folder / "airflow"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "PYTHONDONTWRITEBYTECODE": "",  # compiling Airflow takes longer than the test
                **environment,
            },
            stdout=log,
            stderr=log,
            check=False,
        )
    written = (folder / "airflow.log").read_text()
    assert told.exists(), written
    return Told(json.loads(told.read_text()), written)


@pytest.mark.timeout(300)
def test_the_dag_runs_in_a_real_airflow(airflow: Path, tmp_path: Path, httpserver: HTTPServer):
    stand_in = StandIn(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    for part in ("app", "training"):  # the project without the `.env` that may be there
        (home / part).symlink_to(ROOT / part)
    httpserver.expect_request("/slack", method="POST").respond_with_data("ok")
    real = {
        "DATA_DIR": str(tmp_path / "data"),
        "MODEL_STORE": str(tmp_path / "models"),
        "SLACK_WEBHOOK_URL": httpserver.url_for("/slack"),
        **at(home),
    }

    told = ask(
        airflow,
        tmp_path,
        stand_in.run("retried", {"collect": [1], "train": ["hang"]}, seconds={"train": 5}),
        stand_in.run("untold", {"notify": [3]}),
        stand_in.run("skipped", {}, skipped=["recommend"]),
        {"environment": real},
        {"environment": {"VALIDATION_MIN_GAMES": "100000"}},
        {"environment": at(tmp_path / "nowhere")},
        GAME_RECOMMENDER_PYTHON=sys.executable,
        AIRFLOW_CONN_OURS="http://user:password@host",
    )

    assert told.found["problems"] == {}
    assert told.found["dags"] == ["game_recommendation"]
    is_laid_out(told.found["tasks"])
    *stood_in, well, bad_data, astray = told.found["runs"]
    tells_well_from_failed_from_skipped(stood_in, stand_in)
    carries_out_the_pipeline(well, bad_data, tmp_path)
    said = [request.get_data(as_text=True) for request, _ in httpserver.log]
    assert len(said) == 2
    assert ModelStore(tmp_path / "models").versions()[0] in said[0]
    assert "100000" in said[1]
    assert astray["states"]["collect"] == "failed"
    assert f"cannot be started in {tmp_path / 'nowhere'} (No such file or directory)" in told.log
    assert "validate ended with exit code 3: error: " in told.log
    assert httpserver.url_for("/slack") not in told.log


def is_laid_out(tasks: dict[str, dict[str, Any]]) -> None:
    assert [*tasks] == [*WELL]
    assert [task["after"] for task in tasks.values()] == [[], *([name] for name in [*WELL][:-1])]
    assert {task["pool"] for task in tasks.values()} == {"game_recommendation"}
    assert all(task["retries"] >= 2 and 0 < task["minutes"] <= 120 for task in tasks.values())


def tells_well_from_failed_from_skipped(runs: list[dict[str, Any]], stand_in: StandIn) -> None:
    retried, untold, skipped = runs
    assert (retried["state"], retried["states"], retried["xcoms"]) == ("success", WELL, [])
    assert {name: n for name, n in retried["attempts"].items() if n != 1} == {"collect": 2, "train": 2}
    made = stand_in.calls("retried")
    assert [call["step"] for call in made] == ["collect", *STEPS[:3], "train", *STEPS[3:], "notify"]
    assert {call["cwd"] for call in made} == {str(stand_in.home)}
    assert not any("AIRFLOW" in name for call in made for name in call["environment"])
    (run_id,) = {call["run_id"] for call in made}
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{6}", run_id)
    hung = stand_in.pids("retried", run_id)
    assert len(hung) == 2
    assert not any(Path("/proc", pid).exists() for pid in hung)

    assert untold["state"] == "failed"
    assert untold["states"] == {**WELL, "notify": "failed", "outcome": "failed"}

    assert skipped["state"] == "success"
    assert skipped["states"] == {**WELL, "recommend": "skipped", "outcome": "skipped"}
    names = ("retried", "untold", "skipped")
    assert len({call["run_id"] for name in names for call in stand_in.calls(name)}) == 3


def carries_out_the_pipeline(well: dict[str, Any], bad_data: dict[str, Any], folder: Path) -> None:
    assert (well["state"], well["states"], well["xcoms"]) == ("success", WELL, [])
    store = ModelStore(folder / "models")
    (version,) = store.versions()
    assert store.current_version() == version
    stopped = dict.fromkeys(STEPS[2:], "upstream_failed")
    assert bad_data["state"] == "failed"
    assert bad_data["states"] == {**WELL, "validate": "failed", **stopped, "outcome": "failed"}
    assert bad_data["attempts"]["validate"] == 1

    database = Database(f"sqlite:///{folder}/data/interactions.db")
    count, (second, first) = RunStore(database).newest(10)
    database.close()
    assert count == 2
    assert (first.state, first.trigger, first.result["version"]) == (State.SUCCEEDED, Trigger.AIRFLOW, version)
    assert [step.name for step in first.steps] == [*map(Step, STEPS[:5]), Step.TRACK]
    assert (second.state, second.trigger, second.step) == (State.FAILED, Trigger.AIRFLOW, Step.VALIDATE)
    assert "100000" in (second.error or "")
