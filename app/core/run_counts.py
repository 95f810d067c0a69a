"""How many runs ended how, since the database was made: numbers that stay when old runs are forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.database import Database
from app.core.run import State
from app.core.tables import documents, runs

NO_STEP = "start"  # where a run failed before its first step

_NAME = "run_counts"
_ENDS = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class RunCounts:
    """How many runs ended in each state, how many failed in each step, and when the last ended in each state.

    Times are seconds since 1970.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    last: Mapping[str, float] = field(default_factory=dict)

    def after(self, state: str, step: str | None, at: float) -> "RunCounts":
        """Count one more run, which ended in a state, in a step if any, at a time."""
        outcomes = {**self.outcomes, state: self.outcomes.get(state, 0) + 1}
        last = {**self.last, state: max(self.last.get(state, at), at)}
        if state != State.FAILED:
            return RunCounts(outcomes, self.failures, last)
        where = step or NO_STEP
        return RunCounts(outcomes, {**self.failures, where: self.failures.get(where, 0) + 1}, last)


def read(database: Database) -> RunCounts:
    """Read the counts, of what is kept of the runs where nothing has been counted yet."""
    with database.read() as connection:
        kept = connection.scalar(sa.select(documents.c.body).where(documents.c.name == _NAME))
        return RunCounts(**orjson.loads(kept)) if kept else _of_those_kept(connection)


def count(database: Database, connection: sa.Connection, run_id: str, at: float) -> None:
    """Count a run that has just been recorded as ended, within the transaction that does."""
    empty = database.insert(documents).values(name=_NAME, body="", at=at)
    connection.execute(empty.on_conflict_do_nothing(index_elements=["name"]))
    mine = documents.c.name == _NAME
    kept = connection.scalar(sa.select(documents.c.body).where(mine).with_for_update())
    counts = _counted(connection, kept, run_id) if kept else _of_those_kept(connection)
    body = orjson.dumps({"outcomes": counts.outcomes, "failures": counts.failures, "last": counts.last}).decode()
    connection.execute(sa.update(documents).where(mine).values(body=body, at=at))


def _counted(connection: sa.Connection, kept: str, run_id: str) -> RunCounts:
    ended = connection.execute(_ended().where(runs.c.run_id == run_id)).one()
    return RunCounts(**orjson.loads(kept)).after(*ended)


def _of_those_kept(connection: sa.Connection) -> RunCounts:
    counts = RunCounts()
    for ended in connection.execute(_ended().where(runs.c.state.in_(_ENDS))):
        counts = counts.after(*ended)
    return counts


def _ended() -> sa.Select[tuple[Any, ...]]:
    return sa.select(runs.c.state, runs.c.step, runs.c.ended_at)
