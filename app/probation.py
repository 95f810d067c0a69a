"""Probation: a new model's answers are watched for a while, and the one before it comes back where they are worse."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

from app.core.errors import ArtifactError, DatabaseError, StoreNotWritableError, VersionNotFoundError
from app.core.notices import Notices
from app.core.outcomes import OutcomeStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.live_model import LiveModel, LoadedModel
from app.probation_rules import Rules, Share, empties, errors, fallbacks
from app.tally import Counts, Tally

MARK_SECONDS = 10.0  # at most, between two readings of the tally that a window may begin with
_MARKS = 6  # in a window, at least

log = structlog.get_logger(__name__)


class Progress(NamedTuple):
    """How far a watch is: when it ends (seconds since 1970), and the answers, and those in the time before."""

    until: float
    answers: int
    answers_before: int


@dataclass
class _Watch:
    """A version on probation; `before` is what the one before it answered, and `counted` all until the swap."""

    version: str
    version_before: str
    before: Counts
    counted: Counts
    ends: float
    began: float  # in seconds since 1970, as the ids of answers have it
    played_before: Share | None = None
    asked: bool = False
    told: bool = False


class Probation:
    """Watches what this worker answers from a new version, beside what it answered in as long a time before the swap.

    Only a version that is newer than the one before it is watched, and once: what an operator goes back to stays.
    `rollbacks` counts how often this worker went back.
    """

    def __init__(
        self,
        settings: Settings,
        live_model: LiveModel,
        store: ModelStore,
        tally: Tally,
        outcomes: OutcomeStore,
        notices: Notices,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch what a tally counts, and ask for what players did; `now` is in seconds."""
        self._seconds = 60 * settings.probation_minutes
        self._mark_seconds = min(MARK_SECONDS, self._seconds / _MARKS)
        self._rules = Rules.of(settings)
        self._live_model = live_model
        self._store = store
        self._tally = tally
        self._outcomes = outcomes
        self._notices = notices
        self._now = now
        self._watch: _Watch | None = None
        self._known: set[str] = set()
        self._marks: deque[tuple[float, Counts]] = deque([(now(), tally.now())])
        self._untold: list[Mapping[str, Any]] = []
        self.rollbacks = 0
        live_model.tell(self._swapped)

    def progress(self, version: str) -> Progress | None:
        """Tell how far a version is watched; None where it is not on probation."""
        watch = self._watch
        if watch is None or watch.version != version:
            return None
        after = self._tally.now() - watch.counted
        return Progress(watch.began + self._seconds, after.answers, watch.before.answers)

    def check(self) -> None:
        """Look at what was answered since the last time, and go back where it has to be; to be called all the time."""
        self._mark()
        if watch := self._watch:
            after = self._tally.now() - watch.counted
            over = self._now() >= watch.ends
            fault = self._rules.fault(watch.before, after) or self._played_less(watch, over=over)
            if fault:
                self._go_back(watch, after, fault)
            elif over:
                self._end(watch)
                log.info("the new model stays", version=watch.version, **_told(watch.before, after))
        self._leave_notices()

    def _swapped(self, before: LoadedModel | None, after: LoadedModel) -> None:
        at, counted = self._now(), self._tally.now()
        version = after.manifest.version
        version_before = before.manifest.version if before else version
        is_new = version > version_before and version not in self._known and self._seconds > 0
        began = next((counts for marked, counts in self._marks if marked >= at - self._seconds), counted)
        self._watch = None
        if is_new:
            ends = at + self._seconds
            self._watch = _Watch(version, version_before, counted - began, counted, ends, time.time())
        self._known |= {version, version_before}
        self._marks = deque([(at, counted)])

    def _mark(self) -> None:
        """Keep a reading of the tally every few seconds, as far back as a window reaches."""
        marks, at = self._marks, self._now()
        if at - marks[-1][0] >= self._mark_seconds:
            marks.append((at, self._tally.now()))
        while marks[0][0] < at - self._seconds:
            marks.popleft()

    def _played_less(self, watch: _Watch, *, over: bool) -> str | None:
        """Compare what answers led to, each as long after it was given as the other: so it is asked at both ends."""
        try:
            if not watch.asked:
                watch.asked = True
                watch.played_before = self._played(watch.version_before, watch.began - self._seconds)
            if over and watch.played_before:
                return self._rules.played_less(watch.played_before, self._played(watch.version, watch.began))
        except DatabaseError as away:
            log.warning("what players did cannot be compared", version=watch.version, reason=str(away))
        return None

    def _played(self, version: str, since: float) -> Share:
        return Share(*self._outcomes.led_to_play(version, since, since + self._seconds))

    def _go_back(self, watch: _Watch, after: Counts, fault: str) -> None:
        watched = _told(watch.before, after)
        try:
            back_to = self._store.roll_back(watch.version, fault)
        except (StoreNotWritableError, ArtifactError, VersionNotFoundError) as failed:
            self._cannot_go_back(watch, fault, failed)
            return
        self._end(watch)
        if back_to is None:  # another worker was first, and tells
            return
        log.error("the model was taken back", version=watch.version, back_to=back_to, fault=fault, **watched)
        self.rollbacks += 1
        self._untold.append({"version": watch.version, "back_to": back_to, "reason": fault, "watched": watched})
        self._live_model.refresh()

    def _cannot_go_back(self, watch: _Watch, fault: str, failed: Exception) -> None:
        """Say so once, and try again only where the store may be writable later."""
        if not watch.told:
            log.error("a model that is worse stays", version=watch.version, fault=fault, reason=str(failed))
        watch.told = True
        if not isinstance(failed, StoreNotWritableError):
            self._end(watch)

    def _end(self, watch: _Watch) -> None:
        if self._watch is watch:  # and not one that began just now
            self._watch = None

    def _leave_notices(self) -> None:
        """Leave word of what was taken back; while the database is away it is kept."""
        while self._untold:
            try:
                self._notices.add("rollback", self._untold[0])
            except DatabaseError:
                return
            del self._untold[0]


def _told(before: Counts, after: Counts) -> dict[str, float]:
    """Write what was watched, for the log and for people."""
    return {
        name if counts is after else f"{name}_before": round(value, 4)
        for counts in (after, before)
        for name, value in (
            ("answers", counts.answers),
            ("fallbacks", fallbacks(counts).value),
            ("empty", empties(counts).value),
            ("errors", errors(counts).value),
            ("p99_seconds", counts.percentile(0.99)),
        )
    }
