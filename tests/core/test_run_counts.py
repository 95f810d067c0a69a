"""How many runs ended how: counted as they end, and kept when runs are forgotten."""

import sqlalchemy as sa

from app.core import run_counts
from app.core.database import Database
from app.core.run import State, Step, StepTaken, Trigger
from app.core.run_counts import RunCounts
from app.core.runs import RunStore
from app.core.tables import documents


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def end(runs: RunStore, state: State, *steps: Step) -> None:
    run = runs.begin(Trigger.COMMAND)
    assert runs.end(run.run_id, state, "x", steps=[StepTaken(step, 1.0) for step in steps])
    assert not runs.end(run.run_id, State.FAILED, "counted once")


def test_runs_count_by_how_and_where_they_ended(migrated_url: str):
    database, clock = Database(migrated_url), Clock()
    runs = RunStore(database, clock)
    assert run_counts.read(database) == RunCounts()

    end(runs, State.FAILED)
    clock.now = 2000.0
    end(runs, State.FAILED, Step.COLLECT, Step.TRAIN)
    end(runs, State.SUCCEEDED, Step.PUBLISH)
    clock.now = 3000.0
    end(runs, State.CANCELLED, Step.TRAIN)
    clock.now = 4000.0
    runs.begin(Trigger.COMMAND)

    counts = RunCounts(
        {"failed": 2, "succeeded": 1, "cancelled": 1},
        {"start": 1, "train": 1},
        {"failed": 2000.0, "succeeded": 2000.0, "cancelled": 3000.0},
    )
    assert run_counts.read(database) == counts
    assert runs.prune(1) == 4
    assert run_counts.read(database) == counts
    database.close()


def test_what_ended_before_it_was_counted_is_counted_first(migrated_url: str):
    database = Database(migrated_url)
    runs = RunStore(database)
    end(runs, State.SUCCEEDED, Step.PUBLISH)
    end(runs, State.FAILED, Step.TRAIN)
    with database.write() as connection:
        connection.execute(sa.delete(documents))
    assert run_counts.read(database).outcomes == {"succeeded": 1, "failed": 1}

    end(runs, State.FAILED, Step.TRAIN)
    counts = run_counts.read(database)
    assert (counts.outcomes, counts.failures) == ({"succeeded": 1, "failed": 2}, {"train": 2})
    database.close()
