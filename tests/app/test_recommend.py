import pytest
from starlette.testclient import TestClient

from app.core.store import ModelStore
from app.schemas import RecommendationList
from tests.app.conftest import administered
from tests.worlds import publish


def test_an_answer_holds_everything_that_is_promised(client: TestClient):
    answer = client.get("/recommend/ann", params={"n": 2, "explain": True}).json()

    assert len(answer.pop("recommendation_id")) == 32
    assert answer == {
        "user_id": "ann",
        "model_version": "20260101T000000-000000",
        "data_kind": "simulated",
        "source": "mixed",
        "warnings": [
            {
                "code": "padded_with_popular",
                "message": "1 of these 2 games follow from what the player played; the others are popular ones.",
            },
        ],
        "games": [
            {
                "game_id": 30,
                "slug": "game-30",
                "name": "Game 30",
                "released": "2011-04-18",
                "genres": ["Puzzle"],
                "platforms": ["PC"],
                "rating": 4.0,
                "metacritic": 90,
                "playtime": 5,
                "background_image": None,
                "rawg_url": "https://rawg.io/games/game-30",
                "score": 1.0,
                "rank": 1,
                "source": "collaborative",
                "reasons": [
                    {"game_id": 10, "name": "Game 10", "share": 0.5, "fraction": 0.5},
                    {"game_id": 20, "name": "Game 20", "share": 0.5, "fraction": 0.5},
                ],
            },
            {
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
                "score": 0.0,
                "rank": 2,
                "source": "popularity",
                "reasons": [],
            },
        ],
    }


def test_without_options_there_are_ten_games_no_reasons_and_nothing_left_out(client: TestClient):
    answer = client.get("/recommend/nobody").json()
    reasons = client.get("/recommend/ann?n=1").json()["games"][0]["reasons"]
    parameters = client.get("/openapi.json").json()["paths"]["/recommend/{user_id}"]["get"]["parameters"]

    assert [game["game_id"] for game in answer["games"]] == [60, 50, 40, 30, 20, 10]
    assert reasons == []
    defaults = {parameter["name"]: parameter["schema"].get("default") for parameter in parameters}
    given = {name: default for name, default in defaults.items() if default}
    assert given == {"n": 10}
    assert len(defaults) == 16


def test_the_limits_themselves_are_allowed(client: TestClient):
    assert client.get("/recommend/ann?offset=100000&n=100").status_code == 200
    assert client.get("/recommend/ann?" + "&".join(["exclude=1"] * 1000)).status_code == 200


def test_every_answer_has_an_id_of_its_own(client: TestClient):
    ids = {client.get("/recommend/ann").json()["recommendation_id"] for _ in range(5)}

    assert len(ids) == 5


@pytest.mark.parametrize(
    ("path", "source", "games"),
    [
        ("/recommend/ann?n=1", "collaborative", [30]),
        ("/recommend/nobody?n=2", "popularity", [60, 50]),
        ("/recommend/ann?n=3&offset=1", "popularity", [60, 50, 40]),
        ("/recommend/bob?n=1", "content", [50]),
        ("/recommend/bob?n=2", "mixed", [50, 60]),
        ("/recommend/ann?exclude=30&exclude=60&exclude=12345", "popularity", [50, 40]),
        ("/recommend/zo%C3%AB%2F1", "none", []),
        ("/recommend/zoë/1", "none", []),
    ],
)
def test_options(client: TestClient, path: str, source: str, games: list[int]):
    answer = client.get(path).json()

    assert (answer["source"], [game["game_id"] for game in answer["games"]]) == (source, games)


@pytest.mark.parametrize(
    "user_id", ["12", "76561197960287930", "a b", "#?&=", "ÜÑÍ", "\U0001f3ae", "'; DROP--", "x" * 128]
)
def test_a_player_may_have_any_name(client: TestClient, user_id: str):
    answer = client.get(client.base_url.join("/recommend/" + "".join(f"%{byte:02X}" for byte in user_id.encode())))

    assert answer.json()["user_id"] == user_id
    assert answer.json()["warnings"][0]["code"] == "unknown_player"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/recommend/", "path.user_id"),
        (f"/recommend/{'x' * 129}", "path.user_id"),
        ("/recommend/a?n=0", "query.n"),
        ("/recommend/a?n=101", "query.n"),
        ("/recommend/a?n=ten", "query.n"),
        ("/recommend/a?n=1e1", "query.n"),
        (f"/recommend/a?n={'9' * 5000}", "query.n"),
        ("/recommend/a?offset=-1", "query.offset"),
        ("/recommend/a?offset=100001", "query.offset"),
        ("/recommend/a?exclude=1&exclude=0", "query.exclude.1"),
        ("/recommend/a?exclude=9223372036854775808", "query.exclude.0"),
        ("/recommend/a?exclude=nan", "query.exclude.0"),
        ("/recommend/a?" + "&".join(["exclude=1"] * 1001), "query.exclude"),
        ("/recommend/a?explain=maybe", "query.explain"),
    ],
)
def test_a_wrong_input_is_told_by_its_field(client: TestClient, path: str, field: str):
    answer = client.get(path)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("urn:problem:invalid-request", 422)
    assert [violation["field"] for violation in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")


def test_all_wrong_inputs_are_told_at_once(client: TestClient):
    problem = client.get("/recommend/a?n=0&offset=-1&explain=7").json()

    assert {violation["field"] for violation in problem["errors"]} == {"query.n", "query.offset", "query.explain"}


def test_a_thousand_wrong_inputs_are_not_answered_with_a_thousand_sentences(client: TestClient):
    problem = client.get("/recommend/a?" + "&".join(["exclude=0"] * 1000)).json()

    assert len(problem["errors"]) == 10
    assert problem["detail"].endswith("; and 990 more")


def test_before_the_first_model_the_answer_says_so(modelless_client: TestClient):
    answer = modelless_client.get("/recommend/12")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json() == {
        "type": "urn:problem:model-not-loaded",
        "title": "No model",
        "status": 503,
        "detail": "No model is published yet: train one with `python -m training run`.",
    }


def test_the_documented_example_is_an_answer():
    example = RecommendationList.model_json_schema()["example"]

    assert RecommendationList.model_validate(example).model_dump(mode="json") == example


def test_an_unchanged_player_of_an_observed_model_gets_the_same_again(store: ModelStore, migrated_sqlite: str):
    publish(store, data_kind="observed")
    with administered(migrated_sqlite) as client:
        first, again = (client.get("/recommend/ann").json() for _ in range(2))

    assert first["games"] == again["games"]
    assert first["recommendation_id"] != again["recommendation_id"]
