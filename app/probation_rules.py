"""When a new model's answers are worse than those of the one before it."""

from dataclasses import dataclass, fields
from math import sqrt
from typing import NamedTuple, Self

from app.core.settings import Settings
from app.tally import Counts, Outcome

_STANDARD_ERRORS = 3.0  # by so many two shares must differ at least, or it may be luck
_PERCENTILE = 0.99
_FAST_ENOUGH = 0.05  # seconds: an answer that takes no longer is never too slow

_BY_POPULARITY = (Outcome.PADDED, Outcome.POPULARITY)
_OF_KNOWN_PLAYERS = (Outcome.COLLABORATIVE, Outcome.CONTENT, Outcome.MIXED, *_BY_POPULARITY)


class Share(NamedTuple):
    """How many of how many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """Divide; of none it is 0."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Write it in per cent."""
        return f"{100 * self.value:.1f} %"


def fallbacks(counts: Counts) -> Share:
    """Tell how many of the answers to known players hold popular games that nothing else speaks for.

    Unknown players are left out, before and after: how many of them ask is the callers' doing, not the model's.
    """
    return Share(counts.of(*_BY_POPULARITY), counts.of(*_OF_KNOWN_PLAYERS))


def empties(counts: Counts) -> Share:
    """Tell how many answers hold no game; those to who leafs past the end are left out."""
    return Share(counts.of(Outcome.NONE), counts.answers - counts.of(Outcome.PAST_THE_END))


def errors(counts: Counts) -> Share:
    """Tell how many requests ended with an error that a model may be the cause of."""
    return Share(counts.errors, counts.answers + counts.errors)


@dataclass(frozen=True)
class Rules:
    """The thresholds, as `.env.example` describes them."""

    min_answers: int
    fallback_rise: float
    empty_rise: float
    error_rise: float
    latency_ratio: float
    played_drop: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the thresholds from the settings."""
        return cls(**{field.name: getattr(settings, f"probation_{field.name}") for field in fields(cls)})

    def fault(self, before: Counts, after: Counts) -> str | None:
        """Say in one sentence what is worse; None where nothing is, or too little is known to tell.

        Where there were too few answers before, what is left are errors, as if there had been none.
        """
        failed, failed_before = errors(after), errors(before)
        if failed_before.of < self.min_answers:
            failed_before, before = Share(0, failed.of), Counts()
        found = (
            self._rise("requests that ended with an error", failed_before, failed, self.error_rise)
            or self._rise("answers without a game", empties(before), empties(after), self.empty_rise)
            or self._rise("answers filled with popular games", fallbacks(before), fallbacks(after), self.fallback_rise)
        )
        return found or self._slower(before, after)

    def played_less(self, before: Share, after: Share) -> str | None:
        """Say so where fewer answers lead to play than before; None where that is not so, or may be luck."""
        least = (1 - self.played_drop) * before.value
        if after.value >= least or not self._differ(after, before):
            return None
        return f"The share of answers that led to play fell from {before} to {after}."

    def _rise(self, what: str, before: Share, after: Share, threshold: float) -> str | None:
        if after.value - before.value <= threshold or not self._differ(before, after):
            return None
        return f"The share of {what} rose from {before} to {after}."

    def _slower(self, before: Counts, after: Counts) -> str | None:
        """Count the answers beyond what is too slow: a percentile alone would not tell how much of it is luck."""
        limit = max(self.latency_ratio * before.percentile(_PERCENTILE), _FAST_ENOUGH)
        slow, slow_before = (Share(counts.slower(limit), sum(counts.latencies)) for counts in (after, before))
        if slow.value <= 1 - _PERCENTILE or not self._differ(slow_before, slow):
            return None
        took = after.percentile(_PERCENTILE)
        return f"1 of 100 answers takes {1000 * took:.0f} ms or longer; {1000 * limit:.0f} ms are allowed."

    def _differ(self, lower: Share, higher: Share) -> bool:
        """Tell whether one share is higher than another beyond luck, and there are enough of both to say so."""
        if min(lower.of, higher.of) < self.min_answers:
            return False
        pooled = (lower.hits + higher.hits) / (lower.of + higher.of)
        error = sqrt(pooled * (1 - pooled) * (1 / lower.of + 1 / higher.of))
        return higher.value - lower.value > _STANDARD_ERRORS * error
