"""Training runs as they go on, for all who watch: each run is read once, however many they are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Thread

import structlog

from app.core.errors import DatabaseError, GameRecommenderError, RunNotFoundError, TooManyRequestsError
from app.core.run import Run
from app.core.runs import RunStore
from app.retraining_schemas import RunDetail

READ_SECONDS = 0.5  # between two readings of a run
MOST = 20  # who watch at once in one process

_RETRY_AFTER = 5  # seconds

log = structlog.get_logger(__name__)


class RunWatch:
    """Follows the runs that somebody watches; to be used on one event loop."""

    def __init__(self, runs: RunStore) -> None:
        """Read the runs of a store."""
        self._runs = runs
        self._feeds: dict[str, Feed] = {}
        self._watching = 0
        self._is_over = False

    @contextmanager
    def watching(self, run_id: str) -> Iterator["Feed"]:
        """Watch a run until the block ends; raises `TooManyRequestsError` where `MOST` watch already."""
        if self._watching >= MOST:
            raise TooManyRequestsError(f"{MOST} streams at once", _RETRY_AFTER)
        feed = self._feeds.get(run_id)
        if feed is None or feed.is_over:
            feed = self._feeds[run_id] = Feed(self._runs, run_id)
        self._watching += 1
        feed.watchers += 1
        if self._is_over:
            feed.close()
        try:
            yield feed
        finally:
            self._watching -= 1
            feed.watchers -= 1
            if not feed.watchers:
                feed.close()
                if self._feeds.get(run_id) is feed:
                    del self._feeds[run_id]

    def close(self) -> None:
        """End what is watched, as the service stops."""
        self._is_over = True
        for feed in self._feeds.values():
            feed.close()


class Feed:
    """One run, read again and again in a thread of its own: a database that hangs keeps no request waiting."""

    def __init__(self, runs: RunStore, run_id: str) -> None:
        """Begin to read."""
        self._runs = runs
        self._run_id = run_id
        self._loop = asyncio.get_running_loop()
        self._latest: str | None = None
        self._refused: GameRecommenderError | None = None
        self._changed = asyncio.Event()
        self._over = Event()
        self._is_away = False
        self.watchers = 0
        # As a daemon, which the end of the process does not wait for.
        Thread(target=self._read, name=f"watch {run_id}", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Tell whether there will be no other reading."""
        return self._over.is_set()

    def close(self) -> None:
        """End for all who watch."""
        self._over.set()
        self._wake()

    async def begun(self) -> None:
        """Wait for the first reading; raises `RunNotFoundError` or `DatabaseError` where there can be none."""
        while self._latest is None and not self.is_over:
            await self._changed.wait()
        if self._latest is None and self._refused is not None:
            raise self._refused

    async def changes(self) -> AsyncIterator[str]:
        """Give the run as JSON, at once and whenever it has changed, until its end has been given."""
        seen: str | None = None
        while True:
            if self._latest is not None and self._latest is not seen:
                seen = self._latest
                yield seen
            elif self.is_over:
                return
            else:
                await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _read(self) -> None:
        try:
            self._follow()
        except (DatabaseError, RunNotFoundError) as refused:
            self._refused = refused
        finally:
            self._call(self.close)

    def _follow(self) -> None:
        run = self._runs.get(self._run_id)
        self._call(partial(self._publish, RunDetail.whole(run).model_dump_json()))
        while not run.has_ended and not self._over.wait(READ_SECONDS):
            before, run = run, self._now(run)
            if run != before:
                self._call(partial(self._publish, RunDetail.whole(run).model_dump_json()))

    def _now(self, before: Run) -> Run:
        """Read the run; while the database is away it is as it was."""
        try:
            run = self._runs.get(self._run_id)
        except DatabaseError as away:
            if not self._is_away:
                log.warning("a training run cannot be followed", run_id=self._run_id, reason=str(away))
            self._is_away = True
            return before
        self._is_away = False
        return run

    def _publish(self, text: str) -> None:
        self._latest = text
        self._wake()

    def _call(self, what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody watches any more
            self._loop.call_soon_threadsafe(what)
