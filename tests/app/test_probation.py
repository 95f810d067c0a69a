"""A new model is watched, and the one before it comes back by itself."""

import time

import pytest

from app.core.database import Database
from app.core.store import ModelStore
from tests.app.watched import EMPTY, FIRST, GOOD, POPULAR, SECOND, THIRD, WINDOW, Worker, told
from tests.worlds import publish


def test_a_worse_model_is_taken_back_and_people_are_told(
    worker: Worker, store: ModelStore, base: Database, caplog: pytest.LogCaptureFixture
):
    worker.answer(GOOD, 300)
    worker.look(10)
    publish(store, SECOND)
    worker.look()
    worker.answer(POPULAR, 199)
    worker.look()
    assert (worker.version, store.rejections()) == (SECOND, {})

    worker.answer(POPULAR, 1)
    worker.look()

    reason = "The share of answers filled with popular games rose from 0.0 % to 100.0 %."
    assert (worker.version, worker.probation.rollbacks) == (FIRST, 1)
    rejected = store.rejection(SECOND)
    assert rejected is not None
    assert rejected.reason == reason
    [(kind, body)] = told(base)
    assert kind == "rollback"
    assert (body["version"], body["back_to"], body["reason"]) == (SECOND, FIRST, reason)
    assert body["watched"] | {"p99_seconds": 0, "p99_seconds_before": 0} == {
        "answers": 200,
        "fallbacks": 1.0,
        "empty": 0.0,
        "errors": 0.0,
        "p99_seconds": 0,
        "answers_before": 300,
        "fallbacks_before": 0.0,
        "empty_before": 0.0,
        "errors_before": 0.0,
        "p99_seconds_before": 0,
    }
    assert caplog.text.count("the model was taken back") == 1
    worker.answer(POPULAR, 1000)
    worker.look()
    assert worker.version == FIRST


def test_a_model_that_is_as_good_stays(worker: Worker, store: ModelStore, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    worker.answer(GOOD, 300)
    worker.look()
    publish(store, SECOND)
    worker.look()
    assert worker.probation.progress(FIRST) is None
    progress = worker.probation.progress(SECOND)
    assert progress is not None
    assert (progress.answers, progress.answers_before) == (0, 300)
    assert abs(progress.until - WINDOW - time.time()) < 60

    for _ in range(180):
        worker.answer(GOOD, 10)
        worker.look(10)

    assert "the new model stays" in caplog.text
    assert worker.probation.progress(SECOND) is None
    worker.answer(EMPTY, 5000)
    worker.look()
    assert (worker.version, store.predecessor()) == (SECOND, FIRST)


def test_only_as_much_counts_of_the_time_before(worker: Worker, store: ModelStore):
    """What was answered long ago was worse than the new model is."""
    worker.answer(POPULAR, 10_000)
    for _ in range(200):
        worker.look(10)
        worker.answer(GOOD, 2)
    publish(store, SECOND)
    worker.look()
    worker.answer(POPULAR, 300)

    worker.look()

    assert worker.version == FIRST


def test_what_the_model_before_that_answered_does_not_count(worker: Worker, store: ModelStore):
    worker.answer(GOOD, 10_000)
    worker.look()
    publish(store, SECOND)
    worker.look()
    publish(store, THIRD)
    worker.look()
    worker.answer(EMPTY, 1000)

    worker.look()

    assert worker.version == THIRD


def test_errors_tell_though_nothing_was_answered_before(worker: Worker, store: ModelStore):
    publish(store, SECOND)
    worker.look()
    worker.answer(GOOD, 150)
    worker.tally.problems["internal-error"] += 50

    worker.look()

    assert worker.version == FIRST


def test_what_an_operator_goes_back_to_stays(worker: Worker, store: ModelStore):
    publish(store, SECOND)
    worker.look()
    worker.answer(GOOD, 300)
    store.activate(FIRST)
    worker.look()
    assert worker.probation.progress(FIRST) is None
    worker.answer(EMPTY, 1000)
    worker.look()
    assert worker.version == FIRST

    worker.answer(GOOD, 10_000)
    store.activate(SECOND)
    worker.look()
    assert worker.probation.progress(SECOND) is None
    worker.answer(EMPTY, 1000)
    worker.look()
    assert (worker.version, store.rejections()) == (SECOND, {})


def test_a_version_that_was_there_at_the_start_is_never_watched(worker: Worker, store: ModelStore, base: Database):
    publish(store, SECOND)
    later = Worker(base)
    store.activate(FIRST)
    later.look()
    store.activate(SECOND)
    later.look()

    assert (later.version, later.probation.progress(SECOND)) == (SECOND, None)
    assert worker.probation.progress(SECOND) is None


def test_without_minutes_there_is_no_probation(store: ModelStore, base: Database):
    publish(store, FIRST)
    worker = Worker(base, probation_minutes=0)
    worker.answer(GOOD, 300)
    worker.look()
    publish(store, SECOND)
    worker.look()
    worker.answer(EMPTY, 300)

    worker.look()

    assert (worker.version, worker.probation.progress(SECOND)) == (SECOND, None)
