"""When a model is taken back, in numbers."""

import pytest

from app.core.settings import Settings
from app.probation_rules import Rules, Share, empties, errors, fallbacks
from app.tally import BOUNDS, Counts, Outcome

RULES = Rules.of(Settings())
FAST, SLOW, VERY_SLOW = (BOUNDS.index(seconds) for seconds in (0.001, 0.1, 1.0))


def counts(errors: int = 0, latencies: dict[int, int] | None = None, **outcomes: int) -> Counts:
    of = tuple(outcomes.get(outcome.name.lower(), 0) for outcome in Outcome)
    times = latencies or {FAST: sum(of)}
    return Counts(of, tuple(times.get(position, 0) for position in range(len(BOUNDS) + 1)), errors)


GOOD = counts(collaborative=900, padded=50, unknown_player=1000, past_the_end=100)


def test_the_thresholds_are_those_of_the_settings():
    assert Rules(200, 0.2, 0.05, 0.02, 3.0, 0.5) == RULES


def test_who_is_left_out_of_a_share():
    some = counts(errors=10, collaborative=4, padded=1, popularity=3, unknown_player=80, none=2, past_the_end=10)

    assert fallbacks(some) == (4, 8)
    assert empties(some) == (2, 90)
    assert errors(some) == (10, 110)
    assert (Share(0, 0).value, str(Share(1, 8))) == (0.0, "12.5 %")


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (GOOD, None),
        (counts(collaborative=200, padded=100), "answers filled with popular games rose from 5.3 % to 33.3 %."),
        (counts(popularity=200), "answers filled with popular games rose from 5.3 % to 100.0 %."),
        (counts(popularity=199), None),
        (counts(collaborative=800, padded=200), None),
        (counts(unknown_player=9000, collaborative=300), None),
        (counts(collaborative=300, none=30), "answers without a game rose from 0.0 % to 9.1 %."),
        (counts(collaborative=960, none=40), None),
        (counts(collaborative=300, past_the_end=300), None),
        (counts(errors=10, collaborative=290), "requests that ended with an error rose from 0.0 % to 3.3 %."),
        (counts(errors=5, collaborative=200), "requests that ended with an error rose from 0.0 % to 2.4 %."),
        (counts(errors=20, collaborative=980), None),
        (counts(collaborative=300, latencies={FAST: 280, SLOW: 20}), "1 of 100 answers takes 100 ms or longer"),
        (counts(collaborative=300, latencies={FAST: 297, SLOW: 3}), None),
    ],
)
def test_what_is_worse_than_before(after: Counts, fault: str | None):
    found = RULES.fault(GOOD, after)

    assert found == fault if fault is None else fault in str(found)


def test_a_rise_that_may_be_luck_is_none():
    rules = Rules(10, 0.2, 0.05, 0.02, 3.0, 0.5)

    assert rules.fault(counts(collaborative=10), counts(collaborative=7, padded=3)) is None
    assert rules.fault(counts(collaborative=100), counts(collaborative=70, padded=30)) is not None


def test_slow_is_what_is_slow_beside_the_answers_before():
    slow_before = counts(collaborative=1000, latencies={FAST: 900, SLOW: 100})

    assert RULES.fault(slow_before, counts(collaborative=300, latencies={SLOW: 300})) is None
    assert RULES.fault(slow_before, counts(collaborative=300, latencies={VERY_SLOW: 300})) == (
        "1 of 100 answers takes 1000 ms or longer; 300 ms are allowed."
    )


def test_without_answers_before_errors_alone_tell():
    assert RULES.fault(Counts(), counts(none=1000)) is None
    assert RULES.fault(Counts(), counts(popularity=1000, latencies={VERY_SLOW: 1000})) is None
    assert RULES.fault(counts(collaborative=199), counts(errors=500, collaborative=500)) == (
        "The share of requests that ended with an error rose from 0.0 % to 50.0 %."
    )
    assert RULES.fault(Counts(), counts(errors=100, collaborative=99)) is None


def test_answers_that_lead_to_less_play():
    assert RULES.played_less(Share(100, 1000), Share(10, 1000)) == (
        "The share of answers that led to play fell from 10.0 % to 1.0 %."
    )
    assert RULES.played_less(Share(100, 1000), Share(60, 1000)) is None
    assert RULES.played_less(Share(5, 1000), Share(1, 1000)) is None
    assert RULES.played_less(Share(100, 1000), Share(0, 100)) is None
