"""What is trending, as this worker last read it."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from app.core import trending
from app.core.database import Database
from app.core.errors import DatabaseError

log = structlog.get_logger(__name__)

KEPT_SECONDS = 60.0  # everything is counted for it, so not for each request
_RETRY_SECONDS = 2.0  # after a failure


class Trends:
    """Keeps the trending games for a minute; while the database is away, the last known ones."""

    def __init__(self, database: Database, now: Callable[[], float] = time.monotonic) -> None:
        """Read nothing before it is asked for."""
        self._database = database
        self._now = now
        self._game_ids: Sequence[int] = ()
        self._kept_until = 0.0
        self._reading: asyncio.Task[None] | None = None

    async def game_ids(self) -> Sequence[int]:
        """List the ids of the trending games, the first one first."""
        if self._now() >= self._kept_until:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)  # others wait for the same, and one may hang up
        return self._game_ids

    async def _read(self) -> None:
        kept = KEPT_SECONDS
        try:
            counts = await asyncio.to_thread(trending.counts, self._database, time.time())
            self._game_ids = trending.ranked(counts)
        except DatabaseError as failed:
            log.warning("what is trending cannot be read", reason=str(failed))
            kept = _RETRY_SECONDS
        self._kept_until = self._now() + kept
