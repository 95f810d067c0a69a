"""A player's games over HTTP, on either database, and while it is away."""

import pytest
from starlette.testclient import TestClient

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.player_rows import SqlitePlayerRows
from app.core.store import ModelStore
from tests.app.conftest import administered
from tests.worlds import publish


def games(client: TestClient, user_id: str, **asked: int) -> list[tuple[int, list[str], bool]]:
    answer = client.get(f"/users/{user_id}/games", params=asked).json()
    return [(one["game_id"], one["kinds"], one["invented"]) for one in answer["games"]]


def write(client: TestClient, user_id: str, game_id: int, kind: str, **more: object) -> None:
    body = {"user_id": user_id, "game_id": game_id, "kind": kind, **more}
    assert client.post("/interactions", json=body).status_code == 201


def test_an_invented_player_has_what_was_invented_and_what_was_written_since(admin: TestClient):
    assert games(admin, "ann") == [(10, ["play"], True), (20, ["play"], True)]

    write(admin, "ann", 60, "play", hours=2.5, at="2026-01-31T20:15:00Z")
    write(admin, "ann", 60, "rating", rating=4.5, at="2026-01-30T20:15:00Z")
    write(admin, "ann", 20, "hide", at="2026-01-01T00:00:00Z")

    answer = admin.get("/users/ann/games").json()
    assert (answer["user_id"], answer["total"], answer["data_kind"]) == ("ann", 3, "simulated")
    assert (answer["model_version"], answer["warnings"]) == ("20260101T000000-000000", [])
    latest = answer["games"][0]
    assert latest == {
        "game_id": 60,
        "slug": "game-60",
        "name": "Game 60",
        "released": "2011-04-18",
        "genres": ["Puzzle"],
        "platforms": ["PC"],
        "rating": 4.0,
        "metacritic": 90,
        "playtime": 5,
        "background_image": None,
        "rawg_url": "https://rawg.io/games/game-60",
        "kinds": ["play", "rating"],
        "hours": 2.5,
        "rating_given": 4.5,
        "at": "2026-01-31T20:15:00Z",
        "invented": False,
    }
    assert games(admin, "ann") == [(60, ["play", "rating"], False), (20, ["hide"], False), (10, ["play"], True)]
    assert games(admin, "ann", n=1, offset=1) == [(20, ["hide"], False)]
    assert games(admin, "ann", offset=3) == []


def test_a_name_with_slashes_is_a_name(admin: TestClient):
    assert len(games(admin, "zoë/1")) == 6


def test_games_that_the_catalogue_does_not_have_are_left_out_and_said(admin: TestClient):
    write(admin, "nobody", 7, "play")
    write(admin, "nobody", 40, "wishlist")

    answer = admin.get("/users/nobody/games").json()

    assert (answer["total"], games(admin, "nobody")) == (1, [(40, ["wishlist"], False)])
    assert [warned["code"] for warned in answer["warnings"]] == ["unknown_games"]


def test_an_erased_player_and_a_hidden_game_are_not_there(admin: TestClient):
    admin.put("/games/10/hidden")
    assert games(admin, "ann") == [(20, ["play"], True)]

    admin.delete("/users/ann")
    assert games(admin, "ann") == []


def test_while_the_database_is_away_it_is_what_the_model_was_trained_on(
    store: ModelStore, base: Database, monkeypatch: pytest.MonkeyPatch
):
    async def away(*_: object) -> list[object]:
        raise DatabaseError("The database is away.")

    publish(store, data_kind="observed")
    with administered(f"sqlite:///{base.url.database}") as client:
        client.put("/games/10/hidden")
        write(client, "ann", 60, "play")
        assert games(client, "ann") == [(60, ["play"], False)]

        monkeypatch.setattr(SqlitePlayerRows, "of", away)
        answer = client.get("/users/ann/games").json()

        assert [warned["code"] for warned in answer["warnings"]] == ["history_as_trained"]
        assert games(client, "ann") == [(20, ["play"], False)]


def test_the_games_are_no_player_to_be_erased(admin: TestClient):
    answer = admin.delete("/users/ann/games")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert len(games(admin, "ann")) == 2


def test_limits_and_what_is_needed(client: TestClient):
    assert client.get(f"/users/{'x' * 129}/games").status_code == 422
    assert client.get("/users/ann/games?n=101").status_code == 422
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/users/{user_id}/games"]["get"]["security"] == [{}, {"key": ["read"]}]
    assert not [path for path in paths if path.startswith("/page")]


def test_before_the_first_model_there_are_no_games(modelless_client: TestClient):
    assert modelless_client.get("/users/ann/games").json()["type"] == "urn:problem:model-not-loaded"
