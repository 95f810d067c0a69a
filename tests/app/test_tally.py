from time import perf_counter

import pytest

from app.core.answer import Source, Warned
from app.tally import BOUNDS, Counts, Outcome, Tally, outcome_of

PLAYS, LIKENESS, POPULAR = Source.COLLABORATIVE, Source.CONTENT, Source.POPULARITY
UNKNOWN = (Warned("unknown_player", ""),)
AWAY = (Warned("history_as_trained", ""),)


@pytest.mark.parametrize(
    ("sources", "warnings", "offset", "outcome"),
    [
        ([PLAYS, PLAYS], (), 0, Outcome.COLLABORATIVE),
        ([LIKENESS], AWAY, 0, Outcome.CONTENT),
        ([PLAYS, LIKENESS], (), 0, Outcome.MIXED),
        ([PLAYS, POPULAR], (), 0, Outcome.PADDED),
        ([POPULAR], AWAY, 0, Outcome.POPULARITY),
        ([POPULAR], (*AWAY, *UNKNOWN), 0, Outcome.UNKNOWN_PLAYER),
        ([], (), 0, Outcome.NONE),
        ([], (), 10, Outcome.PAST_THE_END),
        ((PLAYS,), (), 10, Outcome.COLLABORATIVE),
    ],
)
def test_what_an_answer_is_made_of(sources: list[Source], warnings: tuple[Warned, ...], offset: int, outcome: Outcome):
    assert outcome_of(sources, warnings, offset) is outcome
    tally = Tally()
    tally.record(sources, warnings, offset=offset)
    assert (tally.now().answers, tally.now().of(outcome), tally.seconds) == (1, 1, 0)


def test_what_came_since_is_counted():
    tally = Tally()
    tally.record([PLAYS], (), perf_counter())
    tally.problems["internal-error"] += 1
    before = tally.now()
    tally.record([], (), perf_counter() - 1)
    tally.problems.update(["answer-timeout", "database-unavailable"])

    since = tally.now() - before

    assert (since.answers, since.of(Outcome.NONE), since.errors) == (1, 1, 1)
    assert (since.slower(0.7), since.slower(1.5)) == (1, 0)
    assert 1 < tally.seconds < 2
    assert before.errors == 1


def test_ranges_of_time():
    latencies = [0] * (len(BOUNDS) + 1)
    latencies[BOUNDS.index(0.001)] = 98
    latencies[-1] = 2
    counts = Counts(latencies=tuple(latencies))

    assert (counts.percentile(0.5), counts.percentile(0.98), counts.percentile(0.99)) == (0.001, 0.001, 10.0)
    assert (counts.slower(0.0005), counts.slower(0.001), counts.slower(10.0)) == (100, 2, 2)
    assert Counts().percentile(0.99) == BOUNDS[0]
