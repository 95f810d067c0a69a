"""Rate limits."""

import time

import pytest

from app import rate_limits
from app.core.errors import TooManyRequestsError
from app.rate_limits import Counters, RateLimit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one."""
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def allowed(limit: RateLimit, caller: str) -> int:
    """How many requests go through before one is refused."""
    for count in range(1000):
        try:
            limit.count(caller)
        except TooManyRequestsError:
            return count
    return 1000


@pytest.mark.usefixtures("clock")
def test_each_caller_has_as_many_as_the_limit_says():
    limit = RateLimit("3/minute")

    assert [allowed(limit, "ann"), allowed(limit, "bob"), allowed(limit, "ann")] == [3, 3, 0]


def test_after_the_window_they_are_answered_again(clock: list[float]):
    limit = RateLimit("3/minute")
    allowed(limit, "ann")

    clock[0] += 59.5
    with pytest.raises(
        TooManyRequestsError, match=r"No more than 3 per 1 minute are answered; try again in 1 s\."
    ) as e:
        limit.count("ann")
    assert e.value.retry_after == 1
    clock[0] += 0.5
    assert allowed(limit, "ann") == 3


def test_seconds_to_wait_are_whole_and_at_least_one(clock: list[float]):
    limit = RateLimit("1/minute")
    limit.count("ann")

    for passed, left in [(0.0, 60), (0.1, 60), (39.9, 20), (19.9, 1)]:
        clock[0] += passed
        with pytest.raises(TooManyRequestsError) as refused:
            limit.count("ann")
        assert refused.value.retry_after == left


def test_several_limits_hold_together(clock: list[float]):
    limit = RateLimit("2/second;3/minute")

    assert allowed(limit, "ann") == 2
    clock[0] += 1
    limit.count("ann")
    with pytest.raises(TooManyRequestsError, match="3 per 1 minute"):
        limit.count("ann")


def test_callers_beyond_number_cost_no_memory():
    counters = Counters(most=100)
    for number in range(1000):
        counters.incr(f"caller {number}", 60)

    assert len(counters._windows) == 100
    assert (counters.get("caller 999"), counters.get("caller 0")) == (1, 0)
    assert rate_limits.MAX_COUNTED <= 100_000


def test_a_caller_whose_window_begins_anew_is_the_last_to_be_forgotten(clock: list[float]):
    counters = Counters(most=2)
    counters.incr("ann", 60)
    clock[0] += 61
    assert counters.get("ann") == 0
    counters.incr("bob", 60)
    counters.incr("ann", 60)
    counters.incr("cid", 60)

    assert [counters.get(name) for name in ("ann", "bob", "cid")] == [1, 0, 1]


def test_counts_can_be_forgotten():
    counters = Counters()
    counters.incr("ann", 60)
    counters.incr("bob", 60)

    counters.clear("ann")

    assert counters.check()
    assert (counters.get("ann"), counters.get("bob")) == (0, 1)
    assert counters.get_expiry("ann") <= time.time()
    assert counters.reset() == 1
    assert counters.get("bob") == 0
