"""What waits to be told, on both databases."""

import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.core import notices as module
from app.core.database import Database
from app.core.notices import KEPT_FOR, Notice, NoticeCounts, Notices
from app.core.tables import notices

DAY = 86_400.0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def outbox(database: Database) -> Notices:
    return Notices(database)


def leave(database: Database, name: str, at: float) -> None:
    with database.write() as connection:
        Notices.leave(connection, name, {"name": name}, at)


def claimed(outbox: Notices) -> Notice:
    notice = outbox.claim()
    assert notice
    return notice


def row(database: Database) -> sa.RowMapping:
    with database.read() as connection:
        return connection.execute(sa.select(notices)).mappings().one()


def make_due(database: Database) -> None:
    """As when the time has come."""
    with database.write() as connection:
        connection.execute(sa.update(notices).values(next_try_at=time.time() - 1))


def test_notices_come_in_the_order_in_which_they_were_left_and_once(database: Database, outbox: Notices):
    now = time.time()
    leave(database, "second", now - 5)
    leave(database, "first", now - 10)

    assert (claimed(outbox).body, claimed(outbox).body) == ({"name": "first"}, {"name": "second"})
    assert outbox.claim() is None
    assert outbox.any_waits()


def test_what_is_done_waits_no_more(outbox: Notices):
    assert not outbox.any_waits()
    outbox.add("quota", {"month": "2026-11"})
    notice = claimed(outbox)
    outbox.done(notice)

    assert (notice.kind, notice.body, notice.tries) == ("quota", {"month": "2026-11"}, 0)
    assert not outbox.any_waits()
    assert outbox.counts() == NoticeCounts(waiting=0, done=1, given_up=0, failures=0)


def test_a_notice_is_due_whatever_the_clock_says_of_whoever_left_it(database: Database, outbox: Notices):
    leave(database, "from the future", time.time() + DAY)

    assert claimed(outbox).body == {"name": "from the future"}
    assert outbox.claim() is None


def test_what_a_process_took_and_never_sent_is_due_again(outbox: Notices, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CLAIM_SECONDS", 0.1)
    outbox.add("run", {})

    first = claimed(outbox)
    assert outbox.claim() is None
    time.sleep(0.15)
    assert claimed(outbox) == first


def test_waits_grow_with_each_failure_up_to_an_hour(database: Database, outbox: Notices):
    outbox.add("run", {})
    waits = []
    for _ in range(9):
        outbox.failed(claimed(outbox), "refused")
        waits.append(round(row(database)["next_try_at"] - time.time(), -1))
        assert outbox.claim() is None
        make_due(database)

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert claimed(outbox).tries == 9
    assert outbox.counts() == NoticeCounts(waiting=1, done=0, given_up=0, failures=9)


@pytest.mark.parametrize(("asked", "wait"), [(10, 30), (200, 200), (10**6, DAY)])
def test_a_wait_is_no_shorter_than_asked_for(database: Database, outbox: Notices, asked: float, wait: float):
    outbox.add("run", {})
    outbox.failed(claimed(outbox), "HTTP 429", asked)

    assert row(database)["next_try_at"] - time.time() == pytest.approx(wait, abs=5)


def test_what_could_not_be_sent_for_a_day_is_given_up_and_says_why(database: Database, outbox: Notices):
    leave(database, "old", time.time() - DAY - 10)
    leave(database, "young", time.time() - DAY + 100)
    outbox.failed(claimed(outbox), "HTTP 404, no_service")

    assert (outbox.give_up_old(), outbox.give_up_old()) == (1, 0)
    assert claimed(outbox).body == {"name": "young"}
    assert outbox.counts() == NoticeCounts(waiting=1, done=0, given_up=1, failures=1)
    with database.read() as connection:
        assert connection.scalar(sa.select(notices.c.error).where(notices.c.kind == "old")) == "HTTP 404, no_service"


def test_what_nobody_ever_tried_to_send_is_given_up_too(database: Database, outbox: Notices):
    leave(database, "old", time.time() - DAY - 10)
    outbox.give_up_old()

    assert row(database)["error"] == "It could not be sent within a day."
    assert not outbox.any_waits()


def test_what_ended_long_ago_is_forgotten(database: Database, outbox: Notices):
    for _ in range(2):
        outbox.add("run", {})
        outbox.done(claimed(outbox))
    outbox.add("run", {})
    first = sa.select(sa.func.min(notices.c.notice_id)).scalar_subquery()
    with database.write() as connection:
        long_ago = time.time() - KEPT_FOR - 1
        connection.execute(sa.update(notices).where(notices.c.notice_id == first).values(ended_at=long_ago))

    assert outbox.prune() == 1
    assert outbox.counts() == NoticeCounts(waiting=1, done=1, given_up=0, failures=0)


def test_what_has_ended_stays_so(database: Database, outbox: Notices):
    outbox.add("run", {})
    notice = claimed(outbox)
    outbox.done(notice)
    outbox.failed(notice, "too late")

    assert (row(database)["error"], row(database)["tries"]) == (None, 0)


def test_of_many_who_ask_at_a_time_each_notice_goes_to_one(database: Database):
    for number in range(30):
        leave(database, str(number), time.time())
    taken: list[Notice] = []
    begin = threading.Barrier(4)

    def take() -> None:
        outbox = Notices(database)
        begin.wait()
        while (notice := outbox.claim()) is not None:
            taken.append(notice)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(notice.kind) for notice in taken) == list(range(30))


def test_what_has_a_name_is_left_once(outbox: Notices):
    for _ in range(2):
        outbox.add_once("quota-2026-11", "quota", {"month": "2026-11"})

    assert claimed(outbox).body == {"month": "2026-11"}
    assert outbox.claim() is None
