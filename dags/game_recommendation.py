"""The training of the game recommender: collect, validate, train, evaluate, publish, recommend a sample, notify.

Each task runs one command of the project, `python -m training step NAME --run-id RUN_ID`, in the project's folder and
with the project's own Python: nothing of the project is imported here. What the steps hand to each other lies in
`DATA_DIR/runs/RUN_ID/`; there are no XComs. The model that serves changes in `publish` alone.

**Where the project is** is told by the Airflow variables `game_recommender_home` (its folder) and
`game_recommender_python` (its Python; else `.venv/bin/python` in that folder), or by the environment variables of the
same names in capitals. Keys and settings are the project's own, from its `.env` or the worker's environment.

**The pool** `game_recommendation` must exist, with one slot: `airflow pools set game_recommendation 1 training`.

**When a step fails**, it is tried again later, each time after a longer pause; not where trying again mends nothing
(bad data, a refused key). Then the steps after it are `upstream_failed`, `notify` records the end of
the run and tells Slack, and `outcome` fails, and with it the DAG run.
"""

import hashlib
import os
import signal
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable, Variable, chain
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

POOL = "game_recommendation"
NEVER = {"", "none"}
MENDED_BY_NO_RETRY = {2, 3}  # exit codes: wrong usage, and what the next attempt would meet again
FAILED = {"failed", "upstream_failed"}
# Seconds between asking a step to end and ending it. Airflow itself waits 5 s for both.
GRACE = 3.0


class Limits(NamedTuple):
    """How long one attempt at a step may take, how often it is tried again, and what the step does."""

    minutes: int
    retries: int
    doc: str


STEPS = {
    "collect": Limits(120, 4, "Begins the run, and collects the catalogue; an interrupted collection goes on."),
    "validate": Limits(15, 2, "Checks what was collected; too few games, or too many bad ones, end the run."),
    "train": Limits(120, 2, "Fits the model to the plays that are not held out."),
    "evaluate": Limits(60, 2, "Judges the model by the plays held out, beside the one that serves."),
    "publish": Limits(15, 2, "Publishes the model, and makes it current unless it is worse."),
    "recommend": Limits(5, 2, "Prints what the current model recommends to a player."),
}
NOTIFY = Limits(10, 4, "Runs whatever happened: records the end of the run, and tells Slack.")
OUTCOME = Limits(5, 2, "Fails where a task failed, and is skipped where one was skipped: the state of the DAG run.")


def run_id_of(dag_run: Any) -> str:
    """Name the project's run: the same for all tasks and attempts of a DAG run, another once the DAG run is cleared."""
    begun = (dag_run.start_date or dag_run.run_after).astimezone(UTC)
    digest = hashlib.sha256(f"{dag_run.dag_id} {dag_run.run_id} {begun.isoformat()}".encode()).hexdigest()
    return f"{begun:%Y%m%dT%H%M%S}-{digest[:6]}"


class Step(BaseOperator):
    """One step of the pipeline, as a process group of its own that does not outlive the task."""

    _process: subprocess.Popen[bytes] | None = None

    def execute(self, context: Any) -> None:
        """Run the step; raises `AirflowFailException` where it failed in a way that no retry mends."""
        home = Path(_told("game_recommender_home") or Path(__file__).resolve().parents[1])
        python = _told("game_recommender_python") or str(home / ".venv" / "bin" / "python")
        step = ("-m", "training", "step", self.task_id, "--run-id", run_id_of(context["dag_run"]), "--attached")
        command = [python, *step]
        self.log.info("In %s: %s", home, " ".join(command))
        code, last_line = self._run(command, home)
        if code:
            error = AirflowFailException if code in MENDED_BY_NO_RETRY else AirflowException
            raise error(f"{self.task_id} ended with exit code {code}: {last_line}")

    def on_kill(self) -> None:
        """End the step: Airflow calls this at a timeout, and when the task is marked or its worker shut down."""
        if self._process is None or self._process.poll() is not None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)

    def _run(self, command: list[str], home: Path) -> tuple[int, str]:
        try:
            # Standard input is a pipe that nothing is written to: its end tells the step that this process was killed.
            self._process = subprocess.Popen(
                command,
                cwd=home,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise AirflowFailException(
                f"{command[0]} cannot be started in {home} ({error.strerror}): the Airflow variables "
                "game_recommender_home and game_recommender_python tell where the project and its Python are."
            ) from None
        last_line = ""
        try:
            for line in self._process.stdout or ():
                last_line = line.decode(errors="replace").rstrip() or last_line
                self.log.info("%s", last_line)
            return self._process.wait(), last_line
        finally:
            self.on_kill()


class Outcome(BaseOperator):
    """What became of the DAG run: its only leaf, so that its state is the DAG run's."""

    def execute(self, context: Any) -> None:
        """Fail where a task failed, else be skipped where one was skipped."""
        ti, wanted = context["ti"], [*STEPS, "notify"]
        found = ti.get_task_states(dag_id=ti.dag_id, task_ids=wanted, run_ids=[ti.run_id])
        states = {name: found.get(ti.run_id, {}).get(name) or "not run" for name in wanted}
        told = "; ".join(f"{name}: {state}" for name, state in states.items())
        if FAILED & set(states.values()):
            raise AirflowFailException(told)
        if set(states.values()) != {"success"}:
            raise AirflowSkipException(told)


def _told(name: str) -> str | None:
    """Read an Airflow variable, or else the worker's environment."""
    return Variable.get(name, default=None) or os.environ.get(name.upper())


def _environment() -> dict[str, str]:
    """Leave out what belongs to Airflow and its Python: a step sees neither Airflow's secrets nor its packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lstrip("_").startswith(("AIRFLOW", "PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _schedule() -> CronTriggerTimetable | None:
    cron = os.environ.get("GAME_RECOMMENDER_SCHEDULE", "0 4 * * *")
    if cron.strip().lower() in NEVER:
        return None
    return CronTriggerTimetable(cron, timezone=os.environ.get("GAME_RECOMMENDER_TIMEZONE", "UTC"))


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "execution_timeout": timedelta(minutes=limits.minutes),
        "retries": limits.retries,
        "doc_md": limits.doc,
    }


with DAG(
    dag_id="game_recommendation",
    description="Train the game recommender, and let it serve the new model unless that is worse.",
    doc_md=__doc__,
    schedule=_schedule(),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=1),
    tags=["games", "training"],
    default_args={
        "owner": "game-recommender",
        "pool": POOL,
        "do_xcom_push": False,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": 2.0,
        # Well within the two hours for which a run waits for its next step.
        "max_retry_delay": timedelta(minutes=30),
    },
) as dag:
    steps = [Step(task_id=name, **_limits(limits)) for name, limits in STEPS.items()]
    # Teardowns run whatever happened before them, and also where somebody ends the DAG run by hand.
    notify = Step(task_id="notify", **_limits(NOTIFY)).as_teardown()
    outcome = Outcome(task_id="outcome", **_limits(OUTCOME)).as_teardown(on_failure_fail_dagrun=True)
    chain(*steps, notify, outcome)
