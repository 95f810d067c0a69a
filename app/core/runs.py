"""The history of training runs, and the lease that lets one go on at a time."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core import run_counts
from app.core.database import Database
from app.core.documents import Documents
from app.core.errors import DatabaseError, RunEndedError, RunInProgressError, RunNotFoundError
from app.core.leases import LEASE_SECONDS, this_process
from app.core.notices import Notices
from app.core.run import Run, RunOptions, Sign, State, StepTaken, Trigger
from app.core.tables import runs

_CUT_OFF = "It was cut off: the process that ran it is gone."


class RunStore:
    """The runs in the database, which itself sees to it that at most one is going on, and at most one waits."""

    def __init__(self, database: Database, now: Any = time.time) -> None:
        """Use a database, which must be migrated."""
        self._database = database
        self._now = now
        self.documents = Documents(database)  # what runs leave for all to see

    def queue(self, trigger: Trigger, options: RunOptions = RunOptions(), scheduled_for: float | None = None) -> Run:
        """Ask for a run; raises `RunInProgressError` where one waits already, or one was queued for the same time."""
        run_id = _new_id(self._now())
        return self._insert(State.QUEUED, trigger, options, None, run_id=run_id, scheduled_for=scheduled_for)

    def begin(
        self,
        trigger: Trigger,
        options: RunOptions = RunOptions(),
        seconds: float = LEASE_SECONDS,
        run_id: str | None = None,
    ) -> Run:
        """Begin a run in this process without waiting; raises `RunInProgressError` where another is going on."""
        now = self._now()
        return self._insert(
            State.RUNNING,
            trigger,
            options,
            seconds,
            run_id=run_id or _new_id(now),
            started_at=now,
            runner=this_process(),
        )

    def start(self, run_id: str, runner: str | None = None, seconds: float = LEASE_SECONDS) -> Run:
        """Let a run that waits go on; raises `RunInProgressError`, `RunNotFoundError` or `RunEndedError`."""
        values = {"state": State.RUNNING, "started_at": self._now(), "runner": runner or this_process()}
        mine = (runs.c.run_id == run_id, runs.c.state == State.QUEUED)
        with self._one_at_a_time(), self._database.write() as connection:
            now = self._database.clock(connection)
            started = connection.execute(sa.update(runs).where(*mine).values(**values, expires_at=now + seconds))
        if not started.rowcount and self.get(run_id).state is not State.RUNNING:
            raise RunEndedError(run_id)
        return self.get(run_id)

    def beat(
        self,
        run_id: str,
        steps: Sequence[StepTaken] = (),
        seconds: float = LEASE_SECONDS,
        runner: str | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> Sign:
        """Give a sign of life: tell how far a run is, and that it is going on for so many seconds from now.

        With a `result` it has done what it is for, and does not fail any more, whatever ends it.
        """
        values = _progress(steps)
        if result:
            values["result"] = _json(result)
        if runner:
            values["runner"] = runner
        mine = (runs.c.run_id == run_id, runs.c.state == State.RUNNING)
        with self._database.write() as connection:
            expires_at = self._database.clock(connection) + seconds
            found = connection.execute(
                sa.update(runs).where(*mine).values(**values, expires_at=expires_at).returning(runs.c.cancel_at)
            ).one_or_none()
        return Sign(is_lost=True) if found is None else Sign(is_to_stop=found.cancel_at is not None)

    def keep_log(self, run_id: str, tail: str) -> None:
        """Keep the last lines that a run wrote."""
        with self._database.write() as connection:
            connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(log_tail=tail))

    def end(
        self,
        run_id: str,
        state: State,
        error: str | None = None,
        result: Mapping[str, Any] | None = None,
        steps: Sequence[StepTaken] = (),
    ) -> bool:
        """Record how a run ended, and leave a notice of it; False where its end is recorded already.

        One that has a result has succeeded: what it published serves, and what ended it after that is a warning.
        """
        values = {"ended_at": self._now(), "expires_at": None, **_progress(steps)}
        open_ = (runs.c.run_id == run_id, runs.c.state.in_((State.QUEUED, State.RUNNING)))
        with self._database.write() as connection:
            kept = connection.scalar(sa.select(runs.c.result).where(*open_)) or "{}"
            values |= _outcome(state, error, result or orjson.loads(kept))
            ended = connection.execute(sa.update(runs).where(*open_).values(**values)).rowcount > 0
            if ended:
                Notices.leave(connection, "run", {"run_id": run_id}, self._now())
                run_counts.count(self._database, connection, run_id, self._now())
            return ended

    def end_those_cut_off(self) -> list[str]:
        """Record as failed what has given no sign of life for too long; returns the names of those runs."""
        with self._database.read() as connection:
            now = self._database.clock(connection)
            gone = sa.select(runs.c.run_id).where(runs.c.state == State.RUNNING, runs.c.expires_at < now)
            found = list(connection.scalars(gone))
        return [run_id for run_id in found if self.end(run_id, State.FAILED, _CUT_OFF)]

    def cancel(self, run_id: str) -> Run:
        """Ask a run to stop; one that waits is cancelled at once. Raises `RunNotFoundError` or `RunEndedError`."""
        if self.get(run_id).state is State.QUEUED and self.end(run_id, State.CANCELLED):
            return self.get(run_id)
        mine = (runs.c.run_id == run_id, runs.c.state == State.RUNNING)
        with self._database.write() as connection:
            asked = connection.execute(sa.update(runs).where(*mine).values(cancel_at=self._now())).rowcount
        if not asked:
            raise RunEndedError(run_id)
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """Read one run, or raise `RunNotFoundError`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).mappings().one_or_none()
        if row is None:
            raise RunNotFoundError(run_id)
        return Run.of(row)

    def newest(self, n: int, offset: int = 0) -> tuple[int, list[Run]]:
        """Count all runs, and read some, the newest first."""
        page = sa.select(runs).order_by(runs.c.run_id.desc()).limit(n).offset(offset)
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(runs)) or 0
            return total, [Run.of(row) for row in connection.execute(page).mappings()]

    def going_on(self) -> Run | None:
        """Find the run that is going on, or else the one that waits."""
        open_ = sa.select(runs).where(runs.c.state.in_((State.RUNNING, State.QUEUED))).order_by(runs.c.state.desc())
        with self._database.read() as connection:
            row = connection.execute(open_.limit(1)).mappings().one_or_none()
        return Run.of(row) if row else None

    def time_left(self) -> float | None:
        """Tell for how many seconds the run that is going on is still taken for alive; None where there is none."""
        with self._database.read() as connection:
            expires_at = connection.scalar(sa.select(runs.c.expires_at).where(runs.c.state == State.RUNNING))
            return None if expires_at is None else float(expires_at) - self._database.clock(connection)

    def waiting(self) -> Run | None:
        """Find the run that waits."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(runs).where(runs.c.state == State.QUEUED)).mappings().one_or_none()
        return Run.of(row) if row else None

    def last_scheduled(self) -> float | None:
        """Tell the last time for which the schedule queued a run, else when the first run of all was queued."""
        times = sa.select(sa.func.max(runs.c.scheduled_for), sa.func.min(runs.c.queued_at))
        with self._database.read() as connection:
            scheduled, first = connection.execute(times).one()
        found: float | None = scheduled if scheduled is not None else first
        return found

    def prune(self, keep: int) -> int:
        """Forget all but the newest runs; counts those forgotten."""
        oldest = sa.select(runs.c.run_id).order_by(runs.c.run_id.desc()).limit(1).offset(keep - 1).scalar_subquery()
        ended = runs.c.state.not_in((State.QUEUED, State.RUNNING))
        with self._database.write() as connection:
            return connection.execute(sa.delete(runs).where(runs.c.run_id < oldest, ended)).rowcount

    def _insert(
        self, state: State, trigger: Trigger, options: RunOptions, lease: float | None, *, run_id: str, **more: Any
    ) -> Run:
        named = {"run_id": run_id, "state": state, "trigger": trigger, "queued_at": self._now()}
        values: dict[str, Any] = {**named, "options": _json(asdict(options)), **more}
        with self._one_at_a_time(), self._database.write() as connection:
            if lease is not None:
                values["expires_at"] = self._database.clock(connection) + lease
            connection.execute(sa.insert(runs).values(values))
        return self.get(run_id)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as failed:
            if isinstance(failed.__cause__, IntegrityError):
                other = self.going_on()
                raise RunInProgressError(other.run_id if other else None) from None
            raise


def _new_id(at: float) -> str:
    """Name a run: the names stand in the order of time."""
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def _progress(steps: Sequence[StepTaken]) -> dict[str, Any]:
    return {"steps": _json([asdict(step) for step in steps]), "step": steps[-1].name} if steps else {}


def _outcome(state: State, error: str | None, result: Mapping[str, Any]) -> dict[str, Any]:
    if result and state is not State.SUCCEEDED:
        warning = f"The run broke off once its result was there: {error or state}"
        state, error, result = State.SUCCEEDED, None, {**result, "warnings": [*result.get("warnings", ()), warning]}
    return {"state": state, "error": error, "result": _json(result)}


def _json(content: Any) -> str:
    return orjson.dumps(content).decode()
