"""Two workers on one database, as real processes."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.store import ModelStore
from app.core.tables import hidden_games
from tests.app.test_start import Service, unmeasured
from tests.worlds import publish

pytestmark = pytest.mark.untraced


def workers(service: Service) -> list[int]:
    """The process ids of a service's workers."""
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextmanager
def alone(worker: int, all_of_them: list[int]) -> Iterator[None]:
    """Let one worker answer, and nobody else."""
    others = [other for other in all_of_them if other != worker]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


@contextmanager
def serving(url: str) -> Iterator[Service]:
    publish(ModelStore(Path("models")), data_kind="observed")
    with unmeasured(DATABASE_URL=url, ADMIN_API_KEY="admin-key-of-the-tests", WORKERS="2") as service:
        service.wait_for("(?s)startup complete.*startup complete")
        yield service


def first(service: Service, user_id: str) -> int:
    game_id: int = service.get(f"/recommend/{user_id}?n=1")["games"][0]["game_id"]
    return game_id


def test_what_is_written_changes_the_next_answer_of_every_worker(database_url: str):
    store = InteractionStore.open(database_url)
    with serving(database_url) as service:
        both = workers(service)
        assert len(both) == 2
        assert {first(service, "eve") for _ in range(30)} == {60}

        store.write([Interaction("eve", 10, Kind.PLAY, 1.0)])
        assert [first(service, "eve") for _ in range(30)] == [20] * 30
        for worker in both:
            with alone(worker, both):
                assert first(service, "eve") == 20
        store.write([Interaction("eve", 20, Kind.HIDE)])
        for worker in both:
            with alone(worker, both):
                assert first(service, "eve") == 30
        with store.database.write() as connection:
            connection.execute(hidden_games.insert(), {"game_id": 30, "at": 0.0})
        for worker in both:
            with alone(worker, both):
                assert first(service, "eve") == 60
        store.erase("eve")
        assert [first(service, "eve") for _ in range(30)] == [60] * 30
    store.database.close()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_when_a_worker_dies_another_takes_its_place(stop: signal.Signals, tmp_path: Path):
    with serving(f"sqlite:///{tmp_path}/data/interactions.db") as service:
        before = workers(service)
        os.kill(before[0], stop)
        until = time.monotonic() + 20
        while len(set(workers(service)) - {before[0]}) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
        service.wait_for("(?s)(startup complete.*){3}")
        assert [first(service, "bob") for _ in range(10)] == [60] * 10
