"""Where going back does not go as it should."""

import threading
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.store import ModelStore
from tests.app.watched import EMPTY, FIRST, GOOD, SECOND, THIRD, Worker, fail, told
from tests.worlds import publish


def test_with_nothing_to_go_back_to_it_stays_and_says_so_once(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    Path("models/current").write_text(f"{SECOND}\n")

    for _ in range(3):
        worker.look()

    assert (worker.version, worker.probation.rollbacks) == (SECOND, 0)
    assert caplog.text.count("a model that is worse stays") == 1
    assert f"There is no version before {SECOND} to go back to." in caplog.text


def test_to_a_broken_version_nobody_goes_back(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    (Path("models") / FIRST / "popular.npy").write_bytes(b"broken")

    worker.look()

    assert (worker.version, worker.store.current_version()) == (SECOND, SECOND)
    assert caplog.text.count("a model that is worse stays") == 1


def test_a_store_that_takes_no_change_is_tried_again(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    lock = Path("models/.lock")
    lock.unlink()
    lock.mkdir()
    worker.look()
    worker.look()
    assert worker.version == SECOND
    assert caplog.text.count("a model that is worse stays") == 1

    lock.rmdir()
    worker.look()

    assert worker.version == FIRST


def test_of_two_workers_that_see_it_one_tells(store: ModelStore, base: Database):
    publish(store, FIRST)
    workers = [Worker(base), Worker(base)]
    for worker in workers:
        worker.answer(GOOD, 300)
        worker.look()
    publish(store, SECOND)
    for worker in workers:
        worker.look()
        worker.answer(EMPTY, 300)
    threads = [threading.Thread(target=worker.probation.check) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.look()

    assert [worker.version for worker in workers] == [FIRST, FIRST]
    assert sum(worker.probation.rollbacks for worker in workers) == 1
    assert len(told(base)) == 1


def test_a_model_that_comes_in_between_is_watched_all_the_same(worker: Worker, monkeypatch: pytest.MonkeyPatch):
    fail(worker)
    roll_back = worker.store.roll_back

    def late(version: str, reason: str) -> str | None:
        publish(worker.store, THIRD)
        worker.live.refresh()
        return roll_back(version, reason)

    monkeypatch.setattr(worker.store, "roll_back", late)
    worker.look()

    assert (worker.version, worker.probation.rollbacks) == (THIRD, 0)
    assert worker.probation.progress(THIRD) is not None


def test_what_was_taken_back_while_the_database_was_away_is_told_when_it_is_back(
    store: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "data"
    folder.write_text("in the way")
    publish(store, FIRST)
    base = Database(f"sqlite:///{folder}/interactions.db")
    worker = Worker(base)
    fail(worker)
    worker.look()
    worker.look()
    assert (worker.version, store.current_version()) == (FIRST, FIRST)
    assert "what players did cannot be compared" in caplog.text

    folder.unlink()
    base.migrate()
    worker.look()
    worker.look()

    assert [body["version"] for _, body in told(base)] == [SECOND]
    base.close()
