"""What a run tells of itself while it goes on, and how it hears that it is to stop."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any, Protocol

import structlog

from app.core.errors import DatabaseError, GameRecommenderError, RunStoppedError, one_line
from app.core.leases import BEAT_SECONDS, LEASE_SECONDS
from app.core.run import Sign, State, Step, StepTaken
from app.core.runs import RunStore
from training.patience import patiently

_STANDARD_INPUT = 0
_TOLD_TO_STOP = "It was cancelled."
_TAKEN_FOR_DEAD = "It gave no sign of life for too long, and was taken for dead."
_INTERRUPTED = "It was interrupted."
_ALONE = "The service that had started it is gone."

log = structlog.get_logger(__name__)


class Journal(Protocol):
    """Is told how far a run is."""

    def step(self, name: Step) -> AbstractContextManager[None]:
        """Open a step."""

    def advance(self, done: int, total: int) -> None:
        """Tell how far the step is."""

    def keep(self, name: str, found: Mapping[str, Any]) -> None:
        """Keep what was found out under the name of a document, for all to see."""

    def must_go_on(self) -> None:
        """Raise `RunStoppedError` where nothing may be published any more."""


class Unrecorded:
    """The journal of a run that nobody follows."""

    def step(self, name: Step) -> AbstractContextManager[None]:  # noqa: ARG002  # the protocol's
        """Open a step."""
        return nullcontext()

    def advance(self, done: int, total: int) -> None:
        """Tell how far the step is."""

    def keep(self, name: str, found: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def must_go_on(self) -> None:
        """Go on."""


class RunJournal:
    """Keeps a run's row up to date from a thread of its own, and interrupts the run where it is to stop."""

    def __init__(
        self, store: RunStore, run_id: str, steps: tuple[StepTaken, ...] = (), seconds: float = LEASE_SECONDS
    ) -> None:
        """Follow a run that is going on; `steps` are those it has behind it, a sign of life holds for `seconds`."""
        self._store = store
        self._run_id = run_id
        self._steps = list(steps)
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="journal", daemon=True)
        self.result: Mapping[str, Any] = {}
        self.stopped_because: str | None = None
        self.is_cancelled = False

    @contextmanager
    def step(self, name: Step) -> Iterator[None]:
        """Open a step; it is told at once, so that whatever ends the run is seen to have ended it there."""
        begun = time.time()
        self._steps.append(StepTaken(name, begun))
        self._give_sign()
        yield
        self._steps[-1] = replace(self._steps[-1], seconds=time.time() - begun)

    def advance(self, done: int, total: int) -> None:
        """Tell how far the step is; it is written with the next sign of life."""
        self._steps[-1] = replace(self._steps[-1], done=done, total=total)

    def keep(self, name: str, found: Mapping[str, Any]) -> None:
        """Keep what was found out under the name of a document, with this run's; it is worth no failure."""
        try:
            patiently(lambda: self._store.documents.put(name, {"run_id": self._run_id, **found}))
        except DatabaseError as away:
            log.warning("what was found out cannot be kept", name=name, reason=str(away))

    def keep_result(self, result: Mapping[str, Any]) -> None:
        """Tell at once what came of the run: from now on nothing that ends it makes it fail."""
        self.result = result
        self._give_sign()

    def must_go_on(self) -> None:
        """Ask the database whether the run may publish; raises `RunStoppedError` where it may not."""
        self._heed(patiently(self._sign))
        if self.stopped_because:
            raise RunStoppedError(self.stopped_because)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Give signs of life until the block ends, then record how it ended."""
        self._thread.start()
        try:
            yield
        except KeyboardInterrupt:
            self._fail(self.stopped_because or _INTERRUPTED)
            raise
        except (GameRecommenderError, OSError) as failed:
            self._fail(self.stopped_because or one_line(failed))
            raise
        except Exception as bug:
            self._fail(f"An unexpected error: {type(bug).__name__}.")
            raise
        else:
            self._end(State.SUCCEEDED, None)
        finally:
            self._over.set()
            self._thread.join()

    @contextmanager
    def going_on_after(self) -> Iterator[None]:
        """Give signs of life until the block ends, and leave the run going on."""
        self._thread.start()
        try:
            yield
        except KeyboardInterrupt:
            raise RunStoppedError(self.stopped_because or _INTERRUPTED) from None
        finally:
            self._over.set()
            self._thread.join()
            patiently(self._sign)

    def watch_standard_input(self) -> None:
        """End the run, and everything it has started, once standard input ends: then the service is gone."""
        threading.Thread(target=self._end_alone, name="service-watch", daemon=True).start()

    def _end_alone(self) -> None:
        while os.read(_STANDARD_INPUT, 1024):  # unbuffered: a buffer's lock would hold up the end of the process
            pass
        if not self._over.is_set():
            self.stopped_because = _ALONE  # whatever waits for the database now must not publish
            self._over.set()
            with suppress(DatabaseError):  # then whoever looks after runs finds it without a sign of life
                self._record(State.FAILED, _ALONE)
            os.killpg(os.getpgid(0), signal.SIGKILL)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            self._give_sign()

    def _give_sign(self) -> None:
        try:
            self._heed(self._sign())
        except DatabaseError as away:
            log.warning("the run's row cannot be written", reason=str(away))
            return
        if self.stopped_because and not self._over.is_set():
            self._over.set()
            os.kill(os.getpid(), signal.SIGINT)

    def _sign(self) -> Sign:
        return self._store.beat(self._run_id, tuple(self._steps), self._seconds, result=self.result)

    def _heed(self, sign: Sign) -> None:
        self.is_cancelled = self.is_cancelled or sign.is_to_stop
        if sign.is_to_stop:
            self.stopped_because = _TOLD_TO_STOP
        elif sign.is_lost:
            self.stopped_because = _TAKEN_FOR_DEAD

    def _fail(self, error: str) -> None:
        self._end(State.CANCELLED if self.is_cancelled else State.FAILED, error)

    def _end(self, state: State, error: str | None) -> None:
        self._over.set()
        try:
            patiently(lambda: self._record(state, error))
        except DatabaseError as away:  # whoever looks after runs finds it without a sign of life
            log.error("the end of the run cannot be recorded", reason=str(away))  # noqa: TRY400  # no bug of ours

    def _record(self, state: State, error: str | None) -> None:
        self._store.end(self._run_id, state, error, self.result, tuple(self._steps))
