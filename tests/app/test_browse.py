"""Lists of games, and of what they can be filtered by, over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.core.artifact import Artifact
from app.core.catalogue import Catalogue
from app.core.filters import AGE_RATINGS
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from app.schemas import Label
from tests.worlds import artifact, browsable, game, manifest, six_games

FIRST = "20260101T000000-000000"

# Popularity falls from 60 to 10, `added` from 10 to 60.
CATALOGUE = Catalogue.from_games(
    [
        game(10, "Portal", released="2007-10-10", genres=["Puzzle"], tags=["Co-op"], rating=4.5, esrb_rating="Teen"),
        game(20, "Portal 2", released="2011-04-18", genres=["Puzzle", "Shooter"], metacritic=95),
        game(30, "Half-Life 3", released="2999-01-01", genres=["Shooter"], rating=0.0, metacritic=None),
        game(40, "Postal", released="1997-11-24", genres=["Shooter"], platforms=["macOS"], rating=3.0),
        game(50, "Mystery", released=None, genres=[], esrb_rating="Everyone 10+"),
        game(60, "Zelda", released="1986-02-21", genres=["RPG"], platforms=["NES"], rating=4.9),
    ]
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, default_settings: Settings) -> Iterator[TestClient]:
    """A service with games of many kinds, for all tests: they only read."""
    folder = tmp_path_factory.mktemp("browse")
    store = ModelStore(folder / "models")
    world = replace(six_games(), catalogue=CATALOGUE, **browsable(CATALOGUE))
    store.publish(Artifact(manifest(FIRST), {**artifact().arrays, **world.to_arrays()}))
    store.activate(FIRST)
    places = {"data_dir": folder, "model_store": folder / "models", "retrain_enabled": False}
    with TestClient(create_app(default_settings.model_copy(update=places)), raise_server_exceptions=False) as running:
        yield running


def ids(client: TestClient, path: str, **query: Any) -> list[int]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [game["game_id"] for game in answer.json()["games"]]


def test_a_list_says_what_it_is_made_from(client: TestClient):
    answer = client.get("/games", params={"q": "portal 2", "n": 1}).json()

    assert [game["game_id"] for game in answer.pop("games")] == [20]
    assert answer == {"total": 1, "model_version": FIRST, "data_kind": "simulated", "warnings": []}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "portal"}, [10, 20, 40]),  # Postal is a typo away
        ({"q": "protal 2"}, [20]),
        ({"q": "zleda"}, [60]),
        ({"genre": "puzzle"}, [10, 20]),
        ({"genre": ["puzzle", "RPG"]}, [10, 20, 60]),
        ({"genre": "shooter", "platform": "mac os"}, []),
        ({"genre": "shooter", "platform": "MACOS"}, [40]),
        ({"tag": "co op"}, [10]),
        ({"released_after": "2007-10-10", "released_before": "2011-04-18"}, [10, 20]),
        ({"min_rating": 4.5}, [10, 60]),
        ({"min_metacritic": 91}, [20]),
        ({"age_max": "Teen"}, [10, 50]),
        ({"age_max": "everyone 10"}, [50]),  # as a `+` arrives that was not encoded
        ({"q": "portal", "genre": "shooter"}, [20, 40]),
        ({"sort": "name", "n": 2}, [30, 50]),
        ({"sort": "released", "n": 3}, [30, 20, 10]),
        ({"sort": "released", "reverse": True, "n": 6}, [60, 40, 10, 20, 30, 50]),
        ({"sort": "popularity", "n": 2, "offset": 1}, [50, 40]),
        ({"sort": "added", "n": 2}, [10, 20]),
        ({"q": "portal", "sort": "rating"}, [10, 20, 40]),
        ({"q": "portal", "sort": "metacritic"}, [20, 10, 40]),
    ],
)
def test_games_are_searched_filtered_and_sorted(client: TestClient, query: dict[str, Any], expected: list[int]):
    assert ids(client, "/games", **query) == expected


def test_an_unencoded_plus_is_understood(client: TestClient):
    assert client.get("/games?age_max=Everyone+10+").json()["total"] == 1
    assert client.get("/games?age_max=Everyone%2010%2B").json()["total"] == 1


def test_popular_games(client: TestClient):
    assert ids(client, "/games/popular", n=3) == [60, 50, 40]
    assert ids(client, "/games/popular", n=3, offset=3) == [30, 20, 10]
    assert ids(client, "/games/popular", genre="puzzle") == [20, 10]


def test_new_games_are_those_that_are_out(client: TestClient):
    assert ids(client, "/games/new") == [20, 10, 40, 60]  # neither one to come nor one of an unknown date
    assert ids(client, "/games/new", released_before="2010-01-01", n=2) == [10, 40]
    assert ids(client, "/games/new", released_before="9999-12-31") == [20, 10, 40, 60]
    assert ids(client, "/games/new", min_rating=4.2) == [10, 60]


@pytest.mark.parametrize("path", ["/games", "/games/popular", "/games/new"])
def test_a_value_that_no_game_has_is_told(client: TestClient, path: str):
    answer = client.get(path, params={"genre": ["Zen", "puzzle"], "tag": "x"}).json()

    assert answer["games"] == []
    assert answer["warnings"] == [
        {"code": "unknown_filter_value", "message": "No game has the genre 'Zen'; GET /genres lists what there is."},
        {"code": "unknown_filter_value", "message": "No game has the tag 'x'; GET /tags lists what there is."},
    ]
    assert ids(client, path, genre=["Zen", "puzzle"]) != []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"genre": ""}, "query.genre.0"),
        ({"genre": ["x"] * 21}, "query.genre"),
        ({"tag": "x" * 101}, "query.tag.0"),
        ({"platform": ["PC", "x" * 101]}, "query.platform.1"),
        ({"released_after": "2011-02-30"}, "query.released_after"),
        ({"released_after": "20110418"}, "query.released_after"),
        ({"released_before": "1303084800"}, "query.released_before"),
        ({"released_before": "2011-04-18T00:00:00"}, "query.released_before"),
        ({"released_before": ""}, "query.released_before"),
        ({"min_rating": "NaN"}, "query.min_rating"),
        ({"min_rating": "inf"}, "query.min_rating"),
        ({"min_rating": "-inf"}, "query.min_rating"),
        ({"min_rating": 5.1}, "query.min_rating"),
        ({"min_metacritic": 101}, "query.min_metacritic"),
        ({"min_metacritic": "nan"}, "query.min_metacritic"),
        ({"age_max": "Rating Pending"}, "query.age_max"),
        ({"age_max": ""}, "query.age_max"),
        ({"sort": "-released"}, "query.sort"),
        ({"reverse": "maybe"}, "query.reverse"),
    ],
)
def test_a_wrong_filter_is_422_and_named(client: TestClient, query: dict[str, Any], field: str):
    answer = client.get("/games", params=query)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_wrong_date_is_told_what_a_date_is(client: TestClient):
    detail = client.get("/games", params={"released_after": "18.4.2011"}).json()["detail"]

    assert detail == "query.released_after: Value error, must be a date, YYYY-MM-DD"


def test_what_games_can_be_filtered_by(client: TestClient):
    assert client.get("/genres").json() == {
        "total": 3,
        "labels": [{"name": "Shooter", "games": 3}, {"name": "Puzzle", "games": 2}, {"name": "RPG", "games": 1}],
    }
    assert client.get("/platforms?n=1").json() == {"total": 3, "labels": [{"name": "PC", "games": 4}]}
    assert client.get("/platforms?n=2&offset=1").json()["labels"][1] == {"name": "NES", "games": 1}
    assert client.get("/tags").json() == {"total": 1, "labels": [{"name": "Co-op", "games": 1}]}
    assert client.get("/tags?n=0").status_code == 422
    assert client.get("/tags?n=1001").status_code == 422


@pytest.mark.parametrize("path", ["/games", "/games/popular", "/games/new", "/genres", "/platforms", "/tags"])
def test_without_a_model_there_is_nothing_to_browse(modelless_client: TestClient, path: str):
    assert modelless_client.get(path).json()["type"] == "urn:problem:model-not-loaded"


def test_the_optional_parameters_are_not_documented_as_null(client: TestClient):
    parameters = client.get("/openapi.json").json()["paths"]["/games"]["get"]["parameters"]

    schemas = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert set(schemas) == {
        *("q", "genre", "platform", "tag", "released_after", "released_before", "min_rating", "min_metacritic"),
        *("age_max", "sort", "reverse", "n", "offset"),
    }
    assert "null" not in str(schemas)
    assert (schemas["min_rating"]["type"], schemas["min_rating"]["maximum"]) == ("number", 5)
    assert schemas["released_after"]["format"] == "date"
    assert schemas["age_max"]["enum"] == list(AGE_RATINGS)
    assert all("description" in parameter for parameter in parameters)


def test_the_documented_label_is_one():
    example = Label.model_json_schema()["example"]

    assert Label.model_validate(example).model_dump() == example
