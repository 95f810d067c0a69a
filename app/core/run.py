"""One training run: what it is asked for, how far it is, and what came of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import orjson
import sqlalchemy as sa

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6}")


class State(StrEnum):
    """How far a run is; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(StrEnum):
    """What a run was started by."""

    SCHEDULE = "schedule"
    REQUEST = "request"
    START = "start"  # of the service, which has no model of the catalogue that it is to serve
    COMMAND = "command"
    AIRFLOW = "airflow"


class Step(StrEnum):
    """The steps of a run, in their order."""

    COLLECT = "collect"
    VALIDATE = "validate"
    TRAIN = "train"
    EVALUATE = "evaluate"
    PUBLISH = "publish"
    TRACK = "track"


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked for.

    Whether to collect or to reuse the kept pages, how many configurations to try, whether to go live whatever the gate
    says, whether to publish nothing, whether to collect the whole list anew.
    """

    collect: bool = True
    tune: int = 0
    force: bool = False
    dry_run: bool = False
    full: bool = False


@dataclass(frozen=True)
class StepTaken:
    """A step of a run: when it began (seconds since 1970), how long it took, and how far it is where that is known."""

    name: Step
    started_at: float
    seconds: float | None = None
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Run:
    """One run; times are seconds since 1970.

    `result` is what came of it, for machines; `error` is why it failed, in the step `step`. `runner` is the process
    that runs it, as `host:pid`.
    """

    run_id: str
    state: State
    trigger: Trigger
    options: RunOptions
    queued_at: float
    started_at: float | None = None
    ended_at: float | None = None
    runner: str | None = None
    step: Step | None = None
    steps: tuple[StepTaken, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    cancel_at: float | None = None
    log_tail: str = ""

    @classmethod
    def of(cls, row: sa.RowMapping) -> Self:
        """Read a row."""
        fields = {name: row[name] for name in cls.__dataclass_fields__}
        steps = [StepTaken(**{**one, "name": Step(one["name"])}) for one in orjson.loads(row["steps"])]
        return cls(
            **{
                **fields,
                "state": State(row["state"]),
                "trigger": Trigger(row["trigger"]),
                "options": RunOptions(**orjson.loads(row["options"])),
                "step": Step(row["step"]) if row["step"] else None,
                "steps": tuple(steps),
                "result": orjson.loads(row["result"]),
            }
        )

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing will come any more."""
        return self.state not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True)
class Sign:
    """What a run learns when it gives a sign of life: whether it is to stop, and whether it was taken for dead."""

    is_to_stop: bool = False
    is_lost: bool = False
