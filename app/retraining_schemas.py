"""The bodies about training runs."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.core.run import Run, RunOptions, State, Step, StepTaken, Trigger
from app.interaction_schemas import written_time
from app.whole_numbers import AS_WHOLE

MAX_TRIALS = 10_000

_OPTIONS: dict[str, JsonValue] = {"collect": True, "tune": 0, "force": False, "dry_run": False, "full": False}
_RUN: dict[str, JsonValue] = {
    "run_id": "20261126T040000-1f9c3a",
    "state": "succeeded",
    "trigger": "schedule",
    "options": _OPTIONS,
    "queued_at": "2026-11-26T04:00:00Z",
    "started_at": "2026-11-26T04:00:01Z",
    "ended_at": "2026-11-26T04:03:20Z",
    "cancel_at": None,
    "runner": "trainer-1:4711",
    "step": "publish",
    "steps": [{"name": "collect", "started_at": "2026-11-26T04:00:03Z", "seconds": 61.5, "done": 40, "total": 40}],
    "result": {"version": "20261126T040318-123456", "promoted": True, "reason": "It finds as much as the current one."},
    "error": None,
}


class RetrainRequest(BaseModel):
    """What a run is asked for."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"example": {"tune": 20}})

    collect: bool = Field(default=True, description="Whether to ask RAWG, if there is a key; else the kept pages do.")
    tune: Annotated[int, Field(ge=0, le=MAX_TRIALS), AS_WHOLE] = Field(
        default=0, description="How many configurations to try, to train the best."
    )
    force: bool = Field(default=False, description="Make the new model current even if it is worse.")
    dry_run: bool = Field(default=False, description="Train and judge, and publish nothing.")
    full: bool = Field(default=False, description="Collect the whole list anew, not only what was updated.")

    def options(self) -> RunOptions:
        """Say so to a run."""
        return RunOptions(**self.model_dump())


class StepOfRun(BaseModel):
    """A step of a run."""

    name: Step
    started_at: datetime
    seconds: float | None = Field(description="How long it took; null while it goes on, or where it was cut off.")
    done: int | None = Field(description="How far it is, of `total`; null where that is not counted.")
    total: int | None

    @classmethod
    def of(cls, step: StepTaken) -> Self:
        """Describe a step."""
        return cls(
            name=step.name,
            started_at=written_time(step.started_at),
            seconds=step.seconds,
            done=step.done,
            total=step.total,
        )


class RunSummary(BaseModel):
    """A training run."""

    model_config = ConfigDict(json_schema_extra={"example": _RUN})

    run_id: str
    state: State = Field(description="`queued`: it waits for a process that can train, and for the run before it.")
    trigger: Trigger = Field(description="What asked for it; `start`: the service, which needed another model.")
    options: RunOptions
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_at: datetime | None = Field(description="When it was asked to stop.")
    runner: str | None = Field(description="The machine and process that run it.")
    step: Step | None = Field(description="The step that it is in, or in which it ended.")
    steps: list[StepOfRun] = Field(description="The steps it has begun, in order.")
    result: dict[str, Any] = Field(description="What came of it: version, decision and its reason, counts, metrics.")
    error: str | None = Field(description="Why it failed.")

    @classmethod
    def of(cls, run: Run, **more: object) -> Self:
        """Describe a run."""
        times = ("queued_at", "started_at", "ended_at", "cancel_at")
        return cls.model_validate(
            {
                **{name: getattr(run, name) for name in RunSummary.model_fields},
                **{name: None if (at := getattr(run, name)) is None else written_time(at) for name in times},
                "steps": [StepOfRun.of(step) for step in run.steps],
                **more,
            }
        )


class RunDetail(RunSummary):
    """A training run, and what it wrote last."""

    model_config = ConfigDict(json_schema_extra={"example": {**_RUN, "log_tail": "Catalogue: 500 games"}})

    log_tail: str = Field(description="The last lines of its log; the whole is in `DATA_DIR/runs` where it ran.")

    @classmethod
    def whole(cls, run: Run) -> Self:
        """Describe a run with its log."""
        return cls.of(run, log_tail=run.log_tail)


class RunPage(BaseModel):
    """Some of the training runs, the newest first."""

    total: int = Field(description="How many are kept: `RUNS_KEPT` at the most.")
    runs: list[RunSummary]
