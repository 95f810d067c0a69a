"""Hidden and trending games over HTTP, on either database."""

import asyncio

import pytest
from starlette.testclient import TestClient

from app.core.database import Database
from app.core.trending import Count
from app.trends import KEPT_SECONDS, Trends

LISTS = ["/games", "/games/popular", "/games/new", "/games/trending"]


@pytest.fixture
def service_url(migrated_url: str) -> str:
    return migrated_url


@pytest.fixture
def client(admin: TestClient) -> TestClient:
    return admin


def ids(client: TestClient, path: str, **query: object) -> list[int]:
    return [game["game_id"] for game in client.get(path, params=query).json()["games"]]  # type: ignore[arg-type]


def write(client: TestClient, kind: str, *pairs: tuple[str, int], **more: object) -> None:
    rows = [{"user_id": user, "game_id": game_id, "kind": kind, **more} for user, game_id in pairs]
    assert client.post("/interactions", json=rows).json()["stored"] == len(rows)


def test_a_hidden_game_is_in_no_answer_until_it_is_shown_again(client: TestClient):
    assert client.put("/games/20/hidden").status_code == 204
    assert client.put("/games/20/hidden").status_code == 204

    for path in LISTS:
        assert client.get(path).json()["total"] == 5
        assert 20 not in ids(client, path)
        assert client.get(path, params={"genre": "puzzle"}).json()["total"] == 5
    assert ids(client, "/games", q="game", n=2, offset=1) == [30, 40]
    assert ids(client, "/games/10/similar") == [30, 60]
    for path in ("/games/20", "/games/20/similar"):
        assert client.get(path).json()["type"] == "urn:problem:game-not-found"
    assert 20 not in ids(client, "/recommend/nobody")
    listed = client.get("/games/hidden").json()
    assert (listed["total"], [(game["game_id"], game["name"]) for game in listed["games"]]) == (1, [(20, "Game 20")])

    assert client.delete("/games/20/hidden").status_code == 204
    assert client.delete("/games/20/hidden").status_code == 204
    assert client.get("/games/20").status_code == 200
    assert client.get("/games").json()["total"] == 6


def test_a_game_nobody_knows_yet_can_be_hidden(client: TestClient):
    assert client.put("/games/7/hidden").status_code == 204

    assert client.get("/games").json()["total"] == 6
    assert client.get("/games/hidden").json()["games"][0]["name"] is None
    assert client.put("/games/0/hidden").status_code == 422


def test_before_anything_happened_the_popular_games_stand_in(client: TestClient):
    answer = client.get("/games/trending?n=2").json()

    assert [game["game_id"] for game in answer["games"]] == [60, 50]
    assert answer["warnings"] == [
        {
            "code": "padded_with_popular",
            "message": "0 of these 2 games are trending; the others are popular ones.",
        }
    ]


def test_games_that_were_taken_up_lately_come_first(client: TestClient):
    write(client, "wishlist", ("a", 10), ("b", 10), ("c", 999))
    write(client, "like", ("a", 20), ("b", 20), ("c", 20))
    write(client, "dislike", ("a", 30), ("b", 30))
    write(client, "play", ("a", 40), ("b", 40), at="2026-01-31T20:15:00Z")

    assert ids(client, "/games/trending") == [20, 10, 60, 50, 40, 30]
    assert ids(client, "/games/trending", n=2, offset=1) == [10, 60]
    two = client.get("/games/trending?n=2").json()
    assert (two["total"], two["warnings"]) == (6, [])


class TestTrends:
    def test_they_are_read_once_a_minute(self, database: Database, monkeypatch: pytest.MonkeyPatch):
        readings: list[float] = []

        def read(_database: Database, now: float) -> list[Count]:
            readings.append(now)
            return []

        monkeypatch.setattr("app.core.trending.counts", read)
        now = 1000.0
        trends = Trends(database, lambda: now)

        async def ask() -> list[int]:
            nonlocal now
            counts = []
            for seconds in (0.0, KEPT_SECONDS - 1.0, 1.0):
                now += seconds
                await asyncio.gather(*(trends.game_ids() for _ in range(5)))
                counts.append(len(readings))
            return counts

        assert asyncio.run(ask()) == [1, 1, 2]

    def test_while_the_database_is_away_the_last_known_stay(self, database: Database, caplog: pytest.LogCaptureFixture):
        trends = Trends(database)  # has no tables yet

        assert asyncio.run(trends.game_ids()) == ()
        assert "what is trending cannot be read" in caplog.text
