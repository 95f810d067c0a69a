"""The database goes away under a running service, and comes back."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.core.histories import Play
from app.core.interactions import InteractionStore
from app.core.store import ModelStore
from app.core.tables import hidden_games
from tests.app.test_start import Service, unmeasured
from tests.postgres import Postgres
from tests.worlds import publish, put

pytestmark = pytest.mark.untraced

FILE = Path("data/interactions.db")
SQLITE = "sqlite:///data/interactions.db"
REFRESHED = 2.5  # seconds, after which a service knows what it must not forget
BACK = 2.0  # seconds, after which everything is back


@contextmanager
def serving(url: str) -> Iterator[Service]:
    with unmeasured(DATABASE_URL=url, ADMIN_API_KEY="admin-key-of-the-tests") as service:
        service.wait_for("startup complete")
        yield service


def fill(url: str) -> InteractionStore:
    """Ann has 40 since the model was trained, which speaks for 50; Bob is erased, and 60 hidden."""
    publish(ModelStore(Path("models")), data_kind="observed")
    store = InteractionStore.open(url)
    put(store, [Play("ann", 40), Play("bob", 40)])
    store.erase("bob")
    with store.database.write() as connection:
        connection.execute(hidden_games.insert(), {"game_id": 60, "at": 0.0})
    return store


def told(service: Service, user_id: str) -> tuple[list[int], list[str]]:
    answer = service.get(f"/recommend/{user_id}?n=3")
    return [game["game_id"] for game in answer["games"]], [warning["code"] for warning in answer["warnings"]]


def check_present(service: Service) -> None:
    assert told(service, "ann") == ([50, 30, 20], ["padded_with_popular"])
    assert told(service, "bob") == ([50, 40, 30], ["unknown_player"])


def check_away(service: Service) -> None:
    assert told(service, "ann") == ([30, 50, 40], ["history_as_trained", "padded_with_popular"])
    assert told(service, "bob") == ([50, 40, 30], ["history_as_trained", "unknown_player"])
    assert told(service, "nobody") == ([50, 40, 30], ["history_as_trained", "unknown_player"])
    visitor = service.post("/recommend", {"played": [{"game_id": 10}], "n": 3})
    assert [game["game_id"] for game in visitor["games"]] == [20, 30, 50]
    batch = service.post("/recommend/batch", {"user_ids": ["ann", "bob"], "n": 1})
    assert [answer["warnings"][0]["code"] for answer in batch["answers"]] == ["history_as_trained"] * 2
    party = service.post("/recommend/group", {"user_ids": ["ann", "nobody"], "n": 1})
    assert [one["code"] for one in party["warnings"]] == ["history_as_trained"]
    assert service.get("/recommend/ann/why/30")["warnings"][0]["code"] == "history_as_trained"


def within(seconds: float, check: Callable[[], Any]) -> None:
    """Wait until a check holds."""
    until = time.monotonic() + seconds
    while True:
        try:
            check()
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def test_postgres_goes_away_and_comes_back(own_postgres: Postgres):
    url = own_postgres.create_database()
    store = fill(url)
    with serving(url) as service:
        check_present(service)
        time.sleep(REFRESHED)
        own_postgres.stop()

        check_away(service)
        time.sleep(REFRESHED)
        check_away(service)

        own_postgres.start()
        within(BACK, lambda: check_present(service))
        put(store, [Play("bob", 40)])
        assert told(service, "bob")[0][0] == 50
        assert service.log.count("the database is away") <= 3
    store.database.close()


def test_a_service_that_starts_before_its_postgres_works_when_it_is_there(own_postgres: Postgres):
    url = own_postgres.create_database()
    publish(ModelStore(Path("models")), data_kind="observed")
    own_postgres.stop()
    with serving(url) as service:
        assert told(service, "ann") == ([30, 60, 50], ["history_as_trained", "padded_with_popular"])

        own_postgres.start()
        within(2 * BACK, lambda: _check(told(service, "ann") == ([60, 50, 40], ["unknown_player"])))
        store = InteractionStore.open(url)
        put(store, [Play("ann", 40)])
        assert told(service, "ann")[0][0] == 50
        store.database.close()


def _check(holds: object) -> None:
    assert holds


def removed() -> None:
    for file in FILE.parent.glob("interactions.db*"):
        file.unlink(missing_ok=True)  # SQLite may have removed it itself


def turned_into_a_folder() -> None:
    removed()
    FILE.mkdir()


def turned_into_garbage() -> None:
    removed()
    FILE.write_bytes(b"no database" * 1000)


def put_back() -> None:
    shutil.rmtree("data")
    shutil.copytree("backup", "data")


def test_the_sqlite_file_is_lost_and_put_back_or_another_is_in_its_place():
    fill(SQLITE).database.close()
    shutil.copytree("data", "backup")
    other = InteractionStore.open("sqlite:///other/interactions.db")
    put(other, [Play("ann", 10)])
    other.database.close()
    with serving(SQLITE) as service:
        check_present(service)
        time.sleep(REFRESHED)
        for lose in (removed, turned_into_a_folder, turned_into_garbage):
            lose()
            within(2 * BACK, lambda: check_away(service))

            put_back()
            within(2 * BACK, lambda: check_present(service))
            store = InteractionStore.open(SQLITE)
            put(store, [Play("eve", 40)])
            store.database.close()
            assert told(service, "eve")[0][0] == 50

        for file in Path("other").iterdir():
            file.replace(Path("data") / file.name)
        within(2 * BACK, lambda: _check(told(service, "ann")[0] == [20, 30, 60]))
