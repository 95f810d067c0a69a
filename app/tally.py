"""What this process answered, in plain numbers: to count an answer costs less than a microsecond."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING

from app.core.answer import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.answer import Warned
    from app.core.interactions import Kind

# Upper ends of the ranges of seconds that an answer may take; a last range has none.
BOUNDS = (*(float(f"{digits}e{power}") for power in range(-5, 1) for digits in (1, 1.5, 2, 3, 5, 7)), 10.0)

_OURS = ("internal-error", "answer-timeout")  # types of problems that a model can be the cause of


class By(StrEnum):
    """What wrote an interaction."""

    API = "api"
    PAGE = "page"
    IMPORT = "import"


class Outcome(IntEnum):
    """What an answer is made of."""

    COLLABORATIVE = 0
    CONTENT = 1
    MIXED = 2
    PADDED = 3  # with popular games, behind those that follow from what the player played
    POPULARITY = 4  # though something is known of the player
    UNKNOWN_PLAYER = 5  # popularity, since nothing is known
    NONE = 6
    PAST_THE_END = 7  # no game, since as many were passed over as there are


# Read once, for it takes Python 3.11 a while to read a member of an enumeration.
_POPULAR = Source.POPULARITY
_PADDED, _MIXED = Outcome.PADDED, Outcome.MIXED
_WHOLE = {Source.COLLABORATIVE: Outcome.COLLABORATIVE, Source.CONTENT: Outcome.CONTENT}


def outcome_of(sources: Sequence[Source], warnings: Sequence[Warned], offset: int = 0) -> Outcome:
    """Tell what an answer is made of; popular games stand last in it."""
    if not sources:
        return Outcome.PAST_THE_END if offset else Outcome.NONE
    first = sources[0]
    if first is _POPULAR:
        unknown = any(warned.code == "unknown_player" for warned in warnings)
        return Outcome.UNKNOWN_PLAYER if unknown else Outcome.POPULARITY
    if sources[-1] is _POPULAR:
        return _PADDED
    return _WHOLE[first] if sources.count(first) == len(sources) else _MIXED


@dataclass(frozen=True)
class Counts:
    """How many answers there were: of each `Outcome`, and of each range of `BOUNDS`; and how many errors of ours."""

    outcomes: tuple[int, ...] = (0,) * len(Outcome)
    latencies: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    errors: int = 0

    def __sub__(self, earlier: Counts) -> Counts:
        """Count what came since."""
        return Counts(
            tuple(map(int.__sub__, self.outcomes, earlier.outcomes)),
            tuple(map(int.__sub__, self.latencies, earlier.latencies)),
            self.errors - earlier.errors,
        )

    @property
    def answers(self) -> int:
        """Count all answers."""
        return sum(self.outcomes)

    def of(self, *outcomes: Outcome) -> int:
        """Count the answers of some outcomes."""
        return sum(self.outcomes[outcome] for outcome in outcomes)

    def slower(self, seconds: float) -> int:
        """Count the answers that took longer, as far as `BOUNDS` tell them apart."""
        return sum(self.latencies[bisect_left(BOUNDS, seconds) + 1 :])

    def percentile(self, share: float) -> float:
        """Tell in how many seconds a share of the answers, 0 to 1, was ready: the upper end of the range it lies in."""
        totals = list(accumulate(self.latencies))
        return (*BOUNDS, BOUNDS[-1])[bisect_left(totals, share * totals[-1])]


class Tally:
    """Counts the answers of this process, and the problems it told; written to by the event loop's thread alone.

    `seconds` is how long all answers took together, `problems` counts the answers with a 5xx status by their type,
    `written` the interactions by their kind and by what wrote them.
    """

    def __init__(self) -> None:
        """Start from nothing."""
        self.seconds = 0.0
        self.problems: Counter[str] = Counter()
        self.written: Counter[tuple[Kind, By]] = Counter()
        self._outcomes = [0] * len(Outcome)
        self._latencies = [0] * (len(BOUNDS) + 1)

    def record(
        self, sources: Sequence[Source], warnings: Sequence[Warned], started: float | None = None, offset: int = 0
    ) -> None:
        """Count an answer; `started` is when its making began (`perf_counter`), None where that says nothing."""
        self._outcomes[outcome_of(sources, warnings, offset)] += 1
        if started is not None:
            seconds = perf_counter() - started
            self._latencies[bisect_left(BOUNDS, seconds)] += 1
            self.seconds += seconds

    def wrote(self, stored: Mapping[Kind, int], by: By) -> None:
        """Count interactions that were stored: how many of each kind."""
        self.written.update({(kind, by): count for kind, count in stored.items()})

    def now(self) -> Counts:
        """Read all counts; from any thread."""
        errors = sum(self.problems[problem] for problem in _OURS)
        return Counts(tuple(self._outcomes), tuple(self._latencies), errors)
