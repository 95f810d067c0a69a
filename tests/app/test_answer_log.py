"""The log of answers: written by a thread of its own, to a database that may be slow, away or broken."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import pytest

from app import answer_log
from app.answer_log import AnswerLog
from app.answers import new_id
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.outcomes import Answered, OutcomeStore
from app.core.settings import Settings

VERSION = "20260101T000000-000000"


class AtTimesAway(OutcomeStore):
    """A store that may fail or stand still; it keeps in mind what it was asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failure: Exception | None = None
        self.goes_on = Event()
        self.goes_on.set()
        self.batches: list[int] = []
        self.pruned: list[float] = []
        self.more_to_prune: list[bool] = []

    def log(self, batch: Sequence[Answered]) -> None:
        self.batches.append(len(batch))
        self.goes_on.wait()
        if self.failure:
            raise self.failure
        super().log(batch)

    def prune(self, older_than: float) -> bool:
        self.pruned.append(older_than)
        return self.more_to_prune.pop() if self.more_to_prune else super().prune(older_than)

    @property
    def answers(self) -> int:
        return self.of_version(VERSION).answers


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WRITE_SECONDS", "PAUSE_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(answer_log, name, 0.01)


@pytest.fixture
def store() -> Iterator[AtTimesAway]:
    database = Database(Settings().database)
    database.migrate()
    store = AtTimesAway(database)
    yield store
    database.close()


def answer(log: AnswerLog, times: int = 1) -> None:
    for _ in range(times):
        log.record(new_id(), VERSION, 10)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def close(log: AnswerLog) -> None:
    asyncio.run(log.close())


def test_answers_are_written_while_the_service_runs(store: AtTimesAway):
    log = AnswerLog(store)
    log.start()
    answer(log, 3)

    wait_until(lambda: store.answers == 3)
    answer(log)
    wait_until(lambda: store.answers == 4)
    close(log)
    assert log.lost == 0


def test_what_waits_when_the_service_stops_is_written(store: AtTimesAway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answer_log, "WRITE_SECONDS", 60)
    log = AnswerLog(store)
    log.start()
    answer(log, 3)
    assert store.answers == 0

    close(log)

    assert (store.answers, log.lost) == (3, 0)


def test_many_answers_are_written_in_small_transactions(store: AtTimesAway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answer_log, "ROWS_AT_ONCE", 4)
    log = AnswerLog(store)
    answer(log, 10)

    log.start()
    wait_until(lambda: store.answers == 10)
    close(log)

    assert store.batches == [4, 4, 2]


@pytest.mark.parametrize(("sample", "least", "most"), [(0.0, 0, 0), (0.5, 800, 1200), (0.9999999999, 1990, 2000)])
def test_a_sample_is_kept(store: AtTimesAway, sample: float, least: int, most: int):
    """Of 2,000 answers; half of them give or take nine standard deviations."""
    log = AnswerLog(store, sample)
    answer(log, 2000)

    log.start()
    close(log)

    assert least <= store.answers <= most


def test_the_whole_sample_is_all_whatever_the_id(store: AtTimesAway):
    log = AnswerLog(store, 1.0)
    for digit in ("0", "f"):
        log.record(new_id()[:12] + digit * 20, VERSION, 10)

    log.start()
    close(log)

    assert store.answers == 2


def test_a_database_that_was_away_gets_the_answers_that_waited(store: AtTimesAway, caplog: pytest.LogCaptureFixture):
    store.failure = DatabaseError("The database is away.")
    log = AnswerLog(store)
    answer(log, 2)
    log.start()
    wait_until(lambda: len(store.batches) > 2)
    answer(log)

    store.failure = None
    wait_until(lambda: store.answers == 3)
    close(log)

    assert log.lost == 0
    assert caplog.text.count("answers cannot be logged; they wait") == 1
    assert "answers were lost" not in caplog.text


def test_the_longer_the_database_is_away_the_less_it_is_asked(store: AtTimesAway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answer_log, "MOST_SECONDS", 60)
    store.failure = DatabaseError("The database is away.")
    log = AnswerLog(store)
    answer(log)
    log.start()

    time.sleep(1)
    close(log)

    assert 3 <= len(store.batches) <= 9  # after 10, 30, 70, 150, 310, 630 ms, and at the end


def test_what_a_slow_database_leaves_no_room_for_is_lost_counted_and_told_once_a_minute(
    store: AtTimesAway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(answer_log, "BUFFER", 5)
    clock = [0.0]
    store.goes_on.clear()
    log = AnswerLog(store, now=lambda: clock[0])
    log.start()
    answer(log, 2)
    wait_until(lambda: store.batches == [2])  # the thread has taken these, and stands still

    answer(log, 9)
    store.goes_on.set()
    wait_until(lambda: store.answers == 7)
    wait_until(lambda: "answers were lost from the log" in caplog.text)
    assert log.lost == 4

    store.goes_on.clear()
    answer(log)
    wait_until(lambda: len(store.batches) == 3)
    answer(log, 6)
    store.goes_on.set()
    wait_until(lambda: store.answers == 13)
    assert caplog.text.count("answers were lost") == 1
    clock[0] = answer_log.TELL_SECONDS
    wait_until(lambda: caplog.text.count("answers were lost") == 2)
    close(log)
    assert log.lost == 5


def test_a_service_that_stops_while_the_database_is_away_says_what_is_lost(
    store: AtTimesAway, caplog: pytest.LogCaptureFixture
):
    store.failure = DatabaseError("The database is away.")
    log = AnswerLog(store)
    log.start()
    answer(log, 3)

    close(log)

    assert log.lost == 3
    assert "answers were lost" in caplog.text


def test_a_service_does_not_wait_for_a_database_that_stands_still(store: AtTimesAway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answer_log, "FINISH_SECONDS", 0.1)
    store.goes_on.clear()
    log = AnswerLog(store)
    log.start()
    answer(log, 3)
    begun = time.monotonic()

    close(log)

    assert (log.lost, time.monotonic() - begun < 2) == (3, True)
    store.goes_on.set()
    log._thread.join()


def test_a_bug_does_not_end_the_logging(store: AtTimesAway, caplog: pytest.LogCaptureFixture):
    store.failure = RuntimeError("a bug")
    log = AnswerLog(store)
    answer(log)
    log.start()
    wait_until(lambda: len(store.batches) > 1)

    store.failure = None
    wait_until(lambda: store.answers == 1)
    close(log)
    assert "a bug" in caplog.text


def test_old_answers_are_forgotten_at_the_start_and_once_an_hour(store: AtTimesAway):
    clock = [0.0]
    log = AnswerLog(store, days=2, now=lambda: clock[0])
    old = f"{int((time.time() - 3 * 86_400) * 1000):012x}{0:020x}"
    store.log([(old, VERSION, 10)])
    log.start()
    wait_until(lambda: store.answers == 0)
    wait_until(lambda: log._prune_at == answer_log.PRUNE_SECONDS)
    assert store.pruned == [pytest.approx(time.time() - 2 * 86_400, abs=20)]

    clock[0] = answer_log.PRUNE_SECONDS
    wait_until(lambda: len(store.pruned) == 2)
    close(log)


def test_answers_are_written_while_many_old_ones_are_forgotten(store: AtTimesAway):
    store.more_to_prune = [True] * 1000
    log = AnswerLog(store)
    log.start()
    wait_until(lambda: len(store.pruned) > 1)
    answer(log, 3)

    wait_until(lambda: store.answers == 3)

    assert store.more_to_prune
    close(log)


def test_an_answer_costs_its_request_next_to_nothing(store: AtTimesAway):
    """No lock, no call of the database, whatever state it is in; figures are for a benchmark to give."""
    store.goes_on.clear()
    store.failure = DatabaseError("The database is away.")
    log = AnswerLog(store)

    answer(log, answer_log.BUFFER + 1)

    assert (log.lost, store.batches) == (1, [])
