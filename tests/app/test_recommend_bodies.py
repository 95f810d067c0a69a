"""`POST /recommend`, `/recommend/batch`, `/recommend/group` and the account of one game."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from app.core.catalogue import Game
from app.core.histories import Play
from app.core.interactions import InteractionStore
from app.core.recommender import Recommender
from app.query_parameters import GameField
from app.recommendation_schemas import Batch, GroupList, WhyGame
from app.recommending import as_rows
from app.schemas import RecommendationList
from tests.worlds import put

TEN = {"game_id": 10}


def ids(answer: Any) -> list[int]:
    return [game["game_id"] for game in answer["games"]]


def codes(answer: Any) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


@pytest.fixture
def client(reading: TestClient) -> TestClient:
    return reading


def kept(client: TestClient) -> InteractionStore:
    store: InteractionStore = client.app.state.interactions  # type: ignore[attr-defined]
    return store


def visit(client: TestClient, *played: dict[str, Any], **wishes: Any) -> Any:
    answer = client.post("/recommend", json={"played": played, **wishes})
    assert answer.status_code == 200, answer.text
    RecommendationList.model_validate(answer.json()) if not wishes.get("fields") else None
    return answer.json()


# A visitor


def test_a_visitor_gets_what_follows_from_the_games_told_and_nothing_is_kept(client: TestClient):
    before = list(kept(client).rows())
    answer = visit(client, {"game_id": 10, "hours": 12.5}, n=3)

    assert (answer["user_id"], ids(answer), answer["source"]) == (None, [20, 30, 60], "mixed")
    assert list(kept(client).rows()) == before
    assert ids(visit(client)) == [60, 50, 40, 30, 20, 10]


def test_a_visitor_without_a_game_is_unknown(client: TestClient):
    assert codes(visit(client, n=1)) == ["unknown_player"]


def test_games_that_are_not_there_are_told_and_count_nothing(client: TestClient):
    answer = visit(client, TEN, {"game_id": 11}, {"game_id": 12, "hours": 3}, {"game_id": 11}, n=2)

    assert (ids(answer), codes(answer)) == ([20, 30], ["unknown_games"])
    assert answer["warnings"][0]["message"].startswith("2 of the games played")


def test_a_low_rating_of_a_long_play_pushes_the_neighbours_down(client: TestClient):
    """10 speaks for 20 and 30, which are popular too: before 10 would come back they stand last."""
    assert ids(visit(client, {"game_id": 10, "hours": 500, "rating": 0})) == [60, 50, 40, 30, 20]
    assert ids(visit(client, {"game_id": 20, "hours": 500, "rating": 0.5})) == [60, 50, 40, 10, 30]
    assert ids(visit(client, {"game_id": 20, "hours": 500, "rating": 5})) == [10, 30, 60, 50, 40]


def test_half_of_the_stars_say_nothing(client: TestClient):
    assert ids(visit(client, {"game_id": 20, "rating": 2.5})) == [60, 50, 40, 30, 10]


def test_of_a_game_that_stands_twice_the_last_counts(client: TestClient):
    low, high = {"game_id": 20, "rating": 0}, {"game_id": 20, "rating": 5}

    assert ids(visit(client, low, high))[0] == 10
    assert ids(visit(client, high, low))[0] == 60


def test_a_visitor_may_ask_for_everything_that_a_player_may(client: TestClient):
    assert ids(visit(client, TEN, include_played=True, n=6)) == [20, 30, 60, 50, 40, 10]
    assert ids(visit(client, TEN, exclude=[20, 60], n=2)) == [30, 50]
    assert ids(visit(client, TEN, offset=1, n=2)) == [30, 60]
    assert ids(visit(client, TEN, genre=["puzzle"], platform=["pc"], n=1)) == [20]
    assert ids(visit(client, TEN, tag=["Unheard of"])) == []
    assert codes(visit(client, TEN, tag=["Unheard of"])) == ["unknown_filter_value", "fewer_than_asked"]
    assert ids(visit(client, TEN, min_rating=4.1)) == []
    assert ids(visit(client, TEN, min_metacritic=90, released_after="2011-04-18", n=1)) == [20]
    assert ids(visit(client, TEN, age_max="Teen", released_before="2011-04-17")) == []
    [first] = visit(client, TEN, explain=True, n=1)["games"]
    assert [(reason["game_id"], reason["fraction"]) for reason in first["reasons"]] == [(10, 1.0)]
    assert sorted(ids(visit(client, TEN, diversity=1.0, n=5))) == [20, 30, 40, 50, 60]


def test_a_whole_number_may_have_a_point_as_json_schema_has_it(client: TestClient):
    played = {"game_id": 10.0}

    assert ids(visit(client, played, n=2.0, offset=1.0, exclude=[30.0], min_metacritic=90.0)) == [60, 50]


@pytest.mark.parametrize("name", ["age_max", "min_rating", "min_metacritic", "released_after", "released_before"])
def test_a_filter_that_is_null_is_none(client: TestClient, name: str):
    assert ids(visit(client, TEN, n=1, **{name: None})) == [20]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.played"),
        ({"played": [{}]}, "body.played.0.game_id"),
        ({"played": [{"game_id": "10"}]}, "body.played.0.game_id"),
        ({"played": [{"game_id": 2**63}]}, "body.played.0.game_id"),
        ({"played": [{"game_id": 10, "hours": -1}]}, "body.played.0.hours"),
        ({"played": [{"game_id": 10, "hours": 1e7}]}, "body.played.0.hours"),
        ({"played": [{"game_id": 10, "rating": 5.5}]}, "body.played.0.rating"),
        ({"played": [{"game_id": 10, "stars": 5}]}, "body.played.0.stars"),
        ({"played": [{"game_id": 10}] * 1001}, "body.played"),
        ({"played": [], "n": 101}, "body.n"),
        ({"played": [], "n": True}, "body.n"),
        ({"played": [], "diversity": 1.5}, "body.diversity"),
        ({"played": [], "include_played": 1}, "body.include_played"),
        ({"played": [], "fields": ["stars"]}, "body.fields.0"),
        ({"played": [], "released_after": 20110418}, "body.released_after"),
        ({"played": [], "released_before": 0}, "body.released_before"),
        ({"played": [], "n": 2.5}, "body.n"),
        ({"played": [], "released_after": "18.4.2011"}, "body.released_after"),
    ],
)
def test_a_wrong_body_is_told_by_its_field(client: TestClient, body: dict[str, Any], field: str):
    answer = client.post("/recommend", json=body)

    assert answer.status_code == 422
    assert [violation["field"] for violation in answer.json()["errors"]] == [field]


def test_a_thousand_games_are_taken(client: TestClient):
    answer = visit(client, *({"game_id": 1000 + number} for number in range(999)), TEN, n=1)

    assert ids(answer) == [20]


def test_plays_as_rows():
    assert as_rows([(10, 2.0, None), (20, None, 4.0), (30, 1.0, 5.0), (40, None, None), (10, 3.0, None)]) == [
        (10, 1, 3.0, None),
        (20, 2, 4.0, None),
        (30, 1, 1.0, None),
        (30, 2, 5.0, None),
        (40, 1, None, None),
    ]


# What is told of each game


def test_the_facts_to_choose_from_are_those_of_a_game():
    assert [*Game.__annotations__, "rawg_url"] == list(get_args(GameField))


def test_chosen_facts_alone_are_told(client: TestClient):
    [first, *_] = client.get("/recommend/ann?fields=tags&fields=slug&fields=tags&n=2").json()["games"]

    assert first == {
        "game_id": 30,
        "tags": [],
        "slug": "game-30",
        "score": 1.0,
        "rank": 1,
        "source": "collaborative",
        "reasons": [],
    }


@pytest.mark.parametrize("field", get_args(GameField))
def test_each_fact_can_be_chosen(client: TestClient, field: str):
    [game] = visit(client, TEN, fields=[field], n=1)["games"]

    assert list(game) == [*dict.fromkeys(["game_id", field]), "score", "rank", "source", "reasons"]
    assert game[field] == client.get("/games/20").json()[field]


# A batch


def test_a_batch_has_an_answer_for_each_in_order(client: TestClient):
    users = ["bob", "ann", "nobody", "zoë/1", "ann"]

    batch = client.post("/recommend/batch", json={"user_ids": users, "n": 1, "explain": True}).json()

    Batch.model_validate(batch)
    assert [answer["user_id"] for answer in batch["answers"]] == users
    assert [ids(answer) for answer in batch["answers"]] == [[50], [30], [60], [], [30]]
    assert len({answer["recommendation_id"] for answer in batch["answers"]}) == len(users)
    alone = client.get("/recommend/ann?n=1&explain=true").json()
    assert {**batch["answers"][1], "recommendation_id": ""} == {**alone, "recommendation_id": ""}


def test_500_players_are_answered(client: TestClient):
    put(kept(client), [Play(f"p{number}", 10 if number % 2 else 20) for number in range(500)])
    users = [f"p{number}" for number in range(500)]

    answers = client.post("/recommend/batch", json={"user_ids": users, "n": 1}).json()["answers"]

    assert [answer["user_id"] for answer in answers] == users
    assert [ids(answer) for answer in answers] == [[10], [20]] * 250


@pytest.mark.parametrize(
    ("users", "field"),
    [
        ([], "body.user_ids"),
        (["x"] * 501, "body.user_ids"),
        ([""], "body.user_ids.0"),
        (["x" * 129], "body.user_ids.0"),
        (["a", "b\n"], "body.user_ids.1"),
        ([12], "body.user_ids.0"),
    ],
)
def test_a_wrong_batch(client: TestClient, users: list[Any], field: str):
    answer = client.post("/recommend/batch", json={"user_ids": users})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


# A party


def test_a_party(client: TestClient):
    answer = client.post("/recommend/group", json={"user_ids": ["bob", "ann"], "n": 3}).json()

    GroupList.model_validate(answer)
    assert (answer["user_ids"], ids(answer)) == (["bob", "ann"], [30, 50, 60])
    assert [game["fits"] for game in answer["games"]] == [
        [{"user_id": "ann", "fit": 1.0}],
        [{"user_id": "bob", "fit": 1.0}],
        [],
    ]
    assert [(game["score"], game["rank"], game["source"]) for game in answer["games"]] == [
        (0.5, 1, "collaborative"),
        (0.5, 2, "content"),
        (0.0, 3, "popularity"),
    ]


def test_a_party_of_whom_nobody_has_anything_left(client: TestClient):
    answer = client.post("/recommend/group", json={"user_ids": ["zoë/1", "ann"]}).json()

    assert (ids(answer), codes(answer)) == ([], ["fewer_than_asked"])


@pytest.mark.parametrize("users", [["ann"], ["ann", "ann"], [f"p{number}" for number in range(9)]])
def test_a_party_has_two_to_eight_members(client: TestClient, users: list[str]):
    assert client.post("/recommend/group", json={"user_ids": users}).status_code == 422


# Why


def test_why_a_game_is_recommended(client: TestClient):
    account = client.get("/recommend/ann/why/30").json()

    WhyGame.model_validate(account)
    assert (account["user_id"], account["score"], account["rank"], account["source"]) == (
        "ann",
        1.0,
        1,
        "collaborative",
    )
    assert [(of["game_id"], of["share"], of["fraction"]) for of in account["reasons"]] == [
        (10, 0.5, 0.5),
        (20, 0.5, 0.5),
    ]
    assert (account["kept_out_by"], account["game"]["name"]) == ([], "Game 30")


def test_why_a_game_is_not_recommended(client: TestClient):
    account = client.get("/recommend/zo%C3%AB/1/why/20?exclude=20&genre=Racing").json()

    assert account["user_id"] == "zoë/1"
    assert [one["code"] for one in account["kept_out_by"]] == ["played", "excluded", "genre"]
    assert client.get("/recommend/ann/why/20?include_played=true").json()["kept_out_by"] == []


def test_why_a_game_that_nothing_speaks_for(client: TestClient):
    account = client.get("/recommend/nobody/why/60").json()

    assert (account["score"], account["rank"], account["reasons"]) == (0.0, None, [])
    assert [one["code"] for one in account["kept_out_by"]] == ["no_link"]


def test_why_a_game_that_is_not_there(client: TestClient):
    assert client.get("/recommend/ann/why/11").json()["type"] == "urn:problem:game-not-found"


def test_before_the_first_model_all_say_so(modelless_client: TestClient):
    for answer in (
        modelless_client.post("/recommend", json={"played": []}),
        modelless_client.post("/recommend/batch", json={"user_ids": ["a"]}),
        modelless_client.post("/recommend/group", json={"user_ids": ["a", "b"]}),
        modelless_client.get("/recommend/a/why/1"),
    ):
        assert answer.json()["type"] == "urn:problem:model-not-loaded"


def test_an_answer_with_everything_taken_apart_is_that_of_the_world(client: TestClient):
    """What the service says in JSON is what the recommender says in Python."""
    model = client.app.state.live_model.loaded  # type: ignore[attr-defined]
    world: Recommender = replace(model.recommender)
    answer = client.get("/recommend/zoë/1?include_played=true&explain=true").json()

    assert answer["games"][0]["reasons"]
    for game in answer["games"]:
        assert sum(reason["share"] for reason in game["reasons"]) == pytest.approx(game["score"])
        assert world.game(game["game_id"])["name"] == game["name"]
