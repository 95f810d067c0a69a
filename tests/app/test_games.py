import pytest
from starlette.testclient import TestClient

from app.schemas import GameDetail, ScoredGame


def test_one_game_in_full(client: TestClient):
    assert client.get("/games/10").json() == {
        "game_id": 10,
        "slug": "game-10",
        "name": "Game 10",
        "released": "2011-04-18",
        "genres": ["Puzzle"],
        "platforms": ["PC"],
        "tags": [],
        "rating": 4.0,
        "ratings_count": 10,
        "reviews_count": 11,
        "added": 990,
        "metacritic": 90,
        "playtime": 5,
        "esrb_rating": None,
        "background_image": None,
        "rawg_url": "https://rawg.io/games/game-10",
    }


@pytest.mark.parametrize("path", ["/games/11", "/games/11/similar", "/games/9223372036854775807"])
def test_a_game_outside_the_catalogue_is_404(client: TestClient, path: str):
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:problem:game-not-found"
    assert "in the catalogue" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/games/0", "/games/-1", "/games/x", "/games/1.5", "/games/9223372036854775808"])
def test_what_is_no_game_id_is_422(client: TestClient, path: str):
    assert client.get(path).status_code == 422
    assert client.get(f"{path}/similar").json()["errors"][0]["field"] == "path.game_id"


def test_similar_games(client: TestClient):
    answer = client.get("/games/10/similar?n=3").json()

    assert (answer["game_id"], answer["model_version"], answer["data_kind"]) == (
        10,
        "20260101T000000-000000",
        "simulated",
    )
    assert [(game["game_id"], game["source"], game["rank"]) for game in answer["games"]] == [
        (20, "collaborative", 1),
        (30, "collaborative", 2),
        (60, "content", 3),
    ]
    assert answer["warnings"] == []
    assert len(client.get("/games/10/similar?n=1").json()["games"]) == 1
    assert [game["rank"] for game in client.get("/games/10/similar?n=3&offset=2").json()["games"]] == [3]
    assert client.get("/games/10/similar").json()["warnings"][0]["code"] == "fewer_than_asked"
    assert client.get("/games/10/similar?n=0").status_code == 422


def test_search(client: TestClient):
    answer = client.get("/games", params={"q": "game", "n": 2, "offset": 1}).json()

    assert answer["total"] == 6
    assert [game["game_id"] for game in answer["games"]] == [20, 30]
    assert client.get("/games", params={"q": "30"}).json()["total"] == 1
    assert client.get("/games").json()["total"] == 6
    assert client.get("/games", params={"q": "x" * 101}).json()["errors"][0]["field"] == "query.q"


@pytest.mark.parametrize("schema", [GameDetail, ScoredGame])
def test_the_documented_examples_are_answers(schema: type[GameDetail | ScoredGame]):
    example = schema.model_json_schema()["example"]

    assert schema.model_validate(example).model_dump(mode="json") == example
