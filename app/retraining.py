"""Runs the trainer: a child process, so that training costs the service nothing but the cores it leaves idle."""

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread

import structlog
from pydantic import SecretStr

from app.child import Child
from app.core.database import Database
from app.core.errors import (
    DatabaseError,
    RunEndedError,
    RunInProgressError,
    RunNotFoundError,
    StoreNotWritableError,
    one_line,
)
from app.core.leases import BEAT_SECONDS, own_name
from app.core.run import State
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore

COMMAND = (sys.executable, "-m", "training", "run")
KILL_SECONDS = 5.0  # after a run was asked to stop
STOP_SECONDS = 2.0  # likewise, while the service itself stops
WAIT_SECONDS = 0.5  # for the database, while the service stops
LINGER_SECONDS = 30.0  # for which a run may go on to tell others of itself once its end is recorded

_STOPPED = "The service was stopped while it ran."
_SHORTEST_SECRET = 8

log = structlog.get_logger(__name__)


def can_train(settings: Settings) -> bool:
    """Tell whether this process may train, and has what it takes."""
    return settings.retrain_enabled and find_spec("sklearn") is not None


@dataclass
class _Followed:
    """A run that goes on in a child."""

    run_id: str
    child: Child
    started_at: float
    seen_at: float
    tail: str = ""
    lost_at: float | None = None  # since when its row says that it has ended
    asked_at: float | None = None  # since when it is to stop


@dataclass(frozen=True)
class _End:
    """What is to be recorded of a run; its own words go first."""

    run_id: str
    state: State
    error: str | None = None
    tail: str | None = None
    code: int | None = None  # of the process, once that has ended


class Trainer:
    """Takes up the run that waits, follows it, and ends it where it must; `step` is to be called every second.

    While the database is away the child goes on, and what is to be recorded waits.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        models: ModelStore,
        may_begin: Callable[[], bool],
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Run `command` with a run's name for each run that waits while `may_begin` says so."""
        self._settings = settings
        self._runs = RunStore(database)
        self._models = models
        self._may_begin = may_begin
        self._command = command
        self._folder = settings.data_dir / "runs"
        self._name = own_name()
        self._followed: _Followed | None = None
        self._ends: deque[_End] = deque()
        self._lock = Lock()
        self._recording = Lock()
        self._is_over = False
        self._is_away = False

    @property
    def is_busy(self) -> bool:
        """Tell whether a run goes on in a child of this process."""
        return self._followed is not None

    def step(self) -> None:
        """Do what is to be done now."""
        with self._lock:
            try:
                self._step()
            except DatabaseError as away:
                if not self._is_away:
                    log.warning("training runs cannot be looked after", reason=str(away))
                self._is_away = True
            else:
                self._is_away = False

    def stop(self) -> None:
        """End the run that goes on, if there is one, and begin no other; takes no longer than 4 seconds."""
        self._is_over = True
        held = self._lock.acquire(timeout=WAIT_SECONDS)
        followed, self._followed = self._followed, None
        if followed is not None:
            self._ends.append(_End(followed.run_id, State.FAILED, _STOPPED))
            _within(WAIT_SECONDS, self._record)
            code = followed.child.stop(STOP_SECONDS)
            self._ends.append(self._end_of(followed, code))
            _within(WAIT_SECONDS, self._record)
        if held:
            self._lock.release()

    def _step(self) -> None:
        if self._followed is not None:
            self._follow(self._followed)
        self._record()
        if self._followed is None and not self._is_over and self._may_begin():
            self._begin()

    def _begin(self) -> None:
        found = self._runs.going_on()
        if found is None or found.state is not State.QUEUED:
            return
        try:
            claimed = self._runs.start(found.run_id, self._name)
        except (RunInProgressError, RunEndedError, RunNotFoundError):  # since we looked
            return
        if claimed.runner != self._name:
            return
        try:
            child = Child((*self._command, "--run-id", found.run_id), self._log_of(found.run_id))
        except OSError as failed:
            self._ends.append(_End(found.run_id, State.FAILED, f"It could not be started: {one_line(failed)}."))
            self._record()
            return
        log.info("training run started", run_id=found.run_id, trigger=found.trigger, pid=child.pid)
        self._followed = _Followed(found.run_id, child, time.monotonic(), time.monotonic())

    def _follow(self, followed: _Followed) -> None:
        now, code = time.monotonic(), followed.child.exit_code()
        if code is not None:
            self._followed = None
            self._ends.append(self._end_of(followed, code))
        elif followed.asked_at is not None:
            if now - followed.asked_at > KILL_SECONDS:
                followed.child.kill()
        elif now - followed.started_at > self._settings.retrain_time_limit * 60:
            limit = f"{self._settings.retrain_time_limit:g} min"
            self._end_early(followed, State.FAILED, f"It took longer than {limit} (RETRAIN_TIME_LIMIT).")
        elif followed.lost_at is not None:
            if now - followed.lost_at > LINGER_SECONDS + self._settings.wandb_timeout:
                self._ask_to_stop(followed)
        elif now - followed.seen_at >= BEAT_SECONDS:
            followed.seen_at = now
            self._give_sign(followed)

    def _give_sign(self, followed: _Followed) -> None:
        """Beat for the child too, which may get no core for a while, and pass on what it says and is told."""
        sign = self._runs.beat(followed.run_id)
        if sign.is_lost:
            followed.lost_at = time.monotonic()
        elif sign.is_to_stop:
            self._end_early(followed, State.CANCELLED, "It was cancelled.")
        tail = self._told(followed.child.tail())
        if tail != followed.tail:
            self._runs.keep_log(followed.run_id, tail)
            followed.tail = tail

    def _end_early(self, followed: _Followed, state: State, error: str) -> None:
        """Record why before the child can, which does not know."""
        self._ends.append(_End(followed.run_id, state, error))
        try:
            self._record()
        finally:
            self._ask_to_stop(followed)

    def _ask_to_stop(self, followed: _Followed) -> None:
        followed.asked_at = time.monotonic()
        followed.child.terminate()

    def _end_of(self, followed: _Followed, code: int) -> _End:
        child = followed.child
        return _End(followed.run_id, State.FAILED, self._told(child.why(code)), self._told(child.tail()), code)

    def _record(self) -> None:
        """Write what waits to be recorded; it goes on waiting where a `DatabaseError` is raised."""
        with self._recording:
            while self._ends:
                end = self._ends[0]
                if end.tail is not None:
                    self._runs.keep_log(end.run_id, end.tail)
                self._runs.end(end.run_id, end.state, end.error)
                self._ends.popleft()
                if end.code is not None:
                    self._clear_up(end.run_id, failed=end.code != 0)

    def _clear_up(self, run_id: str, *, failed: bool) -> None:
        if failed:
            self._remove_left_behind()
        self._tell(run_id)
        self._prune()

    def _tell(self, run_id: str) -> None:
        run = self._runs.get(run_id)
        seconds = round((run.ended_at or 0.0) - (run.started_at or 0.0), 1)
        if run.state is State.SUCCEEDED:
            log.info("training run succeeded", run_id=run_id, seconds=seconds)
        else:
            log.warning("training run ended", run_id=run_id, state=run.state, step=run.step, reason=run.error)

    def _remove_left_behind(self) -> None:
        try:
            self._models.remove_left_behind()
        except StoreNotWritableError as failed:
            log.warning("what a killed run left in the model store cannot be removed", reason=str(failed))

    def _prune(self) -> None:
        """Forget old runs, and their logs."""
        self._runs.prune(self._settings.runs_kept)
        try:
            for old in sorted(self._folder.glob("*.log"))[: -self._settings.runs_kept]:
                old.unlink(missing_ok=True)
        except OSError as failed:
            log.warning("the logs of old runs cannot be removed", reason=one_line(failed))

    def _log_of(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.log"

    def _told(self, text: str) -> str:
        """Take out what must never be told, should a library have written it."""
        for secret in (value.get_secret_value() for _, value in self._settings if isinstance(value, SecretStr)):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "[secret]")
        return text


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Let something be done, and go on without it where it takes longer."""

    def quietly() -> None:
        try:
            work()
        except DatabaseError as away:
            log.warning("the end of a training run cannot be recorded", reason=str(away))

    thread = Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
