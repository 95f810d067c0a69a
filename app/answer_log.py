"""The log of the answers: kept in memory by whoever answers, written by a thread of its own."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

import structlog

from app.core.errors import DatabaseError
from app.core.outcomes import Answered, OutcomeStore

BUFFER = 50_000  # answers that wait while the database is slow; what comes then is lost
ROWS_AT_ONCE = 2_000  # in a transaction, which keeps other writers waiting for a few milliseconds
WRITE_SECONDS = 1.0  # between two looks at what waits
PAUSE_SECONDS = 0.05  # between two transactions: SQLite gives its lock to whoever asks just then
MOST_SECONDS = 30.0  # between two tries while the database is away
PRUNE_SECONDS = 3600.0
TELL_SECONDS = 60.0  # between two lines about lost answers
FINISH_SECONDS = 5.0  # for the rest, when the service stops

_DAY = 86_400.0
_CHANCE = slice(12, 20)  # digits of an id that are chance, after those of the time
_ALL = "g"  # comes after every digit

log = structlog.get_logger(__name__)


class AnswerLog:
    """Takes answers without waiting for the database; what a killed process had not written yet is lost.

    That is what was answered in the last second or, where the database is slow, `BUFFER` answers and a transaction.
    """

    def __init__(
        self, store: OutcomeStore, sample: float = 1.0, days: int = 30, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep a share of all answers, 0 to 1, in a store, each for some days."""
        self._store = store
        self._kept_below = _ALL if sample >= 1 else f"{int(sample * 2**32):08x}"
        self._seconds_kept = days * _DAY
        self._now = now
        self._waiting: deque[Answered] = deque()
        self._batch: list[Answered] = []  # those that the thread is about to write, or failed to
        self._ended = Event()
        self._thread = Thread(target=self._work, name="answer-log", daemon=True)
        self._is_away = False
        self._prune_at = self._tell_at = now()
        self._told = 0
        self.lost = 0

    def record(self, recommendation_id: str, model_version: str, games: int) -> None:
        """Keep an answer, unless it is not in the sample, or too many wait already."""
        if recommendation_id[_CHANCE] >= self._kept_below:
            return
        if len(self._waiting) >= BUFFER:
            self.lost += 1
            return
        self._waiting.append((recommendation_id, model_version, games))

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    async def close(self) -> None:
        """Write what waits, if that can be done within `FINISH_SECONDS`."""
        self._ended.set()
        await asyncio.to_thread(self._thread.join, FINISH_SECONDS)
        self.lost += len(self._batch) + len(self._waiting)
        self._tell()

    def _work(self) -> None:
        wait = WRITE_SECONDS
        while not self._ended.wait(wait):
            wait = WRITE_SECONDS if self._try() else min(2 * wait, MOST_SECONDS)
            if self._now() >= self._tell_at:
                self._tell()
        self._try()

    def _try(self) -> bool:
        """Do what is to be done; says whether that went well."""
        try:
            self._write()
            self._prune()
        except DatabaseError as away:
            if not self._is_away:
                log.warning("answers cannot be logged; they wait", reason=str(away))
            self._is_away = True
            return False
        except Exception:  # a bug, and no reason to log no answer any more
            log.exception("answers could not be logged")
            return False
        if self._is_away:
            log.info("answers are logged again")
        self._is_away = False
        return True

    def _write(self) -> None:
        while self._batch or self._waiting:
            # One that failed is written again as it was: it may be in the database all the same.
            self._batch = self._batch or [self._waiting.popleft() for _ in range(min(len(self._waiting), ROWS_AT_ONCE))]
            self._store.log(self._batch)
            self._batch = []
            if self._waiting:
                self._ended.wait(PAUSE_SECONDS)

    def _prune(self) -> None:
        """Forget old answers once an hour; where another worker has just done so, there is nothing to do."""
        if self._now() < self._prune_at:
            return
        while self._store.prune(time.time() - self._seconds_kept):
            if self._ended.wait(PAUSE_SECONDS):
                return
            self._write()
        self._prune_at = self._now() + PRUNE_SECONDS

    def _tell(self) -> None:
        if self.lost > self._told:
            log.warning("answers were lost from the log", lost=self.lost - self._told, since_start=self.lost)
            self._told = self.lost
            self._tell_at = self._now() + TELL_SECONDS
