"""A worker with a clock of its own, and what it tells of a model on probation."""

from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.answer import Source
from app.core.database import Database
from app.core.notices import Notices
from app.core.outcomes import OutcomeStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.tables import notices
from app.live_model import LiveModel
from app.probation import Probation
from app.tally import Tally
from tests.worlds import publish

FIRST, SECOND, THIRD = (f"2026010{day}T000000-000000" for day in (1, 2, 3))
WINDOW = 1800.0
GOOD, POPULAR, EMPTY = [Source.COLLABORATIVE], [Source.POPULARITY], list[Source]()


class Worker:
    """One process that answers from a store's current model, with a clock of its own."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.clock = 0.0
        self.tally = Tally()
        self.store = ModelStore(Path("models"))
        self.live = LiveModel(self.store)
        self.outcomes = OutcomeStore(database)
        self.probation = Probation(
            Settings(**settings),
            self.live,
            self.store,
            self.tally,
            self.outcomes,
            Notices(database),
            lambda: self.clock,
        )
        self.live.refresh()

    @property
    def version(self) -> str:
        return self.live.loaded.manifest.version

    def answer(self, sources: list[Source], times: int) -> None:
        for _ in range(times):
            self.tally.record(sources, ())

    def look(self, seconds: float = 2.0) -> None:
        self.clock += seconds
        self.live.refresh()
        self.probation.check()


def told(database: Database) -> list[Any]:
    with database.read() as connection:
        rows = connection.execute(sa.select(notices.c.kind, notices.c.body)).all()
    return [(kind, orjson.loads(body)) for kind, body in rows]


def fail(worker: Worker) -> None:
    """Let the new model be worse than the one before it."""
    worker.answer(GOOD, 300)
    worker.look()
    publish(worker.store, SECOND)
    worker.look()
    worker.answer(EMPTY, 300)
