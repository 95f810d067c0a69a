"""A new model is watched by what players did with its answers."""

import time

import pytest

from app.answers import new_id
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.outcomes import OutcomeStore
from tests.app.watched import FIRST, SECOND, THIRD, WINDOW, Worker, told
from tests.worlds import publish


def log_answers(outcomes: OutcomeStore, version: str, ages: list[float], played: int, now: float) -> None:
    """Keep answers that were given so many seconds ago; the first games of some were played."""
    names = [f"{int((now - age) * 1000):012x}{new_id()[12:]}" for age in ages]
    outcomes.log([(name, version, 3) for name in names])
    InteractionStore(outcomes._database).write(
        [Interaction(f"u{name}", 10, Kind.PLAY, 1.0, recommendation_id=name) for name in names[:played]]
    )


def test_what_led_to_play_is_counted_in_a_span_of_time(database: Database):
    store = InteractionStore(database)
    store.prepare()
    outcomes, now = OutcomeStore(database), time.time()
    log_answers(outcomes, FIRST, [100.0, 50.0, 20.0], 2, now)
    log_answers(outcomes, SECOND, [60.0], 1, now)
    name = f"{int((now - 40) * 1000):012x}{new_id()[12:]}"
    outcomes.log([(name, FIRST, 3)])
    store.write([Interaction("zoe", 10, Kind.LIKE, recommendation_id=name)])

    assert outcomes.led_to_play(FIRST, now - 101, now) == (2, 4)
    assert outcomes.led_to_play(FIRST, now - 60, now) == (1, 3)
    assert outcomes.led_to_play(FIRST, now - 101, now - 60) == (1, 1)
    assert outcomes.led_to_play(SECOND, now - 101, now) == (1, 1)
    assert outcomes.led_to_play(THIRD, now - 101, now) == (0, 0)


@pytest.mark.parametrize(("played", "version"), [(5, FIRST), (80, SECOND)])
def test_a_model_whose_games_nobody_plays_is_taken_back_at_the_end(
    worker: Worker, base: Database, monkeypatch: pytest.MonkeyPatch, played: int, version: str
):
    swapped_at = time.time() - 2000
    log_answers(worker.outcomes, FIRST, [2500.0] * 300, 100, time.time())
    publish(worker.store, SECOND)
    with monkeypatch.context() as then:
        then.setattr("app.probation.time.time", lambda: swapped_at)
        worker.look()
    log_answers(worker.outcomes, SECOND, [1500.0] * 300, played, time.time())
    worker.look(WINDOW - 1)
    assert worker.version == SECOND

    worker.look()

    assert worker.version == version
    assert len(told(base)) == (version == FIRST)


def test_a_database_that_goes_away_before_the_end_takes_nothing_back(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    log_answers(worker.outcomes, FIRST, [100.0] * 300, 100, time.time())
    publish(worker.store, SECOND)
    worker.look()

    def away(*_: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(OutcomeStore, "led_to_play", away)
    worker.look(WINDOW)

    assert (worker.version, worker.probation.progress(SECOND)) == (SECOND, None)
    assert "what players did cannot be compared" in caplog.text
