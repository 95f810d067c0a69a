"""Writing, listing, taking back and erasing over HTTP, on either database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.interaction_schemas import WriteSummary
from tests.app.conftest import ADMIN_KEY, administered
from tests.postgres import Postgres

PLAY = {"user_id": "eve", "game_id": 10, "kind": "play", "hours": 2.5}


@pytest.fixture
def client(admin: TestClient) -> TestClient:
    return admin


def mine(client: TestClient, user_id: str = "eve") -> list[tuple[int, str]]:
    answer = client.get(f"/users/{user_id}/interactions").json()
    assert answer["total"] == len(answer["interactions"])
    return [(one["game_id"], one["kind"]) for one in answer["interactions"]]


def recommended(client: TestClient, user_id: str = "eve") -> list[int]:
    return [game["game_id"] for game in client.get(f"/recommend/{user_id}").json()["games"]]


def soon(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


def test_what_is_written_changes_the_next_answer(client: TestClient):
    answer = client.post("/interactions", json=PLAY)

    assert (answer.status_code, answer.json()) == (
        201,
        {"stored": 1, "repeated": 0, "unknown_games": 0, "rejected": []},
    )
    assert recommended(client) == [20, 30, 60, 50, 40]


def test_all_kinds_are_stored_and_listed(client: TestClient):
    at = "2026-01-31T21:15:00.5+01:00"
    rows: list[dict[str, Any]] = [
        {**PLAY, "at": at},
        {**PLAY, "hours": 1, "accumulate": True, "event_id": "e", "at": None},
        {"user_id": "eve", "game_id": 10, "kind": "rating", "rating": 5},
        {"user_id": "eve", "game_id": 20, "kind": "like", "recommendation_id": "0" * 32},
        {"user_id": "eve", "game_id": 20, "kind": "dislike"},
        {"user_id": "eve", "game_id": 30, "kind": "wishlist", "at": at},
        {"user_id": "eve", "game_id": 7, "kind": "hide"},
        {"user_id": "eve", "game_id": 40.0, "kind": "open"},
    ]

    assert client.post("/interactions", json=rows).json() == {
        "stored": 8,
        "repeated": 0,
        "unknown_games": 1,
        "rejected": [],
    }
    assert mine(client) == [(7, "hide"), (10, "play"), (10, "rating"), (20, "dislike"), (30, "wishlist")]
    page = client.get("/users/eve/interactions?n=2&offset=1").json()
    assert (page["user_id"], page["total"]) == ("eve", 5)
    assert [(one["name"], one["hours"], one["rating"]) for one in page["interactions"]] == [
        ("Game 10", 3.5, None),
        ("Game 10", None, 5.0),
    ]
    last = client.get("/users/eve/interactions?offset=4").json()["interactions"]
    assert (last[0]["at"], client.get("/users/eve/interactions?n=1").json()["interactions"][0]["name"]) == (
        "2026-01-31T20:15:00.500000Z",
        None,
    )


def test_an_event_sent_again_counts_once(client: TestClient):
    event = {**PLAY, "event_id": "e", "accumulate": True}

    assert client.post("/interactions", json=[event, event]).json()["repeated"] == 1
    again = client.post("/interactions", json=event)
    assert (again.status_code, again.json()["stored"], again.json()["repeated"]) == (201, 0, 1)
    assert client.get("/users/eve/interactions").json()["interactions"][0]["hours"] == 2.5


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"user_id": ""}, "user_id"),
    ({"user_id": "x" * 129}, "user_id"),
    ({"user_id": "a\x00"}, "user_id"),
    ({"user_id": "a\n"}, "user_id"),
    ({"user_id": 12}, "user_id"),
    ({"game_id": 2**63}, "game_id"),
    ({"game_id": 10**4000}, "game_id"),
    ({"game_id": 0}, "game_id"),
    ({"game_id": "10"}, "game_id"),
    ({"game_id": True}, "game_id"),
    ({"game_id": 1.5}, "game_id"),
    ({"kind": "love"}, "kind"),
    ({"kind": None}, "kind"),
    ({"hours": -1}, "hours"),
    ({"hours": "3"}, "hours"),
    ({"hours": 1_000_001}, "hours"),
    ({"rating": 3}, "rating"),
    ({"accumulate": 1}, "accumulate"),
    ({"event_id": "x" * 129}, "event_id"),
    ({"event_id": "\x7f"}, "event_id"),
    ({"recommendation_id": "0" * 31 + "G"}, "recommendation_id"),
    ({"at": "2026-01-31T20:15:00"}, "at"),
    ({"at": "2026-02-30T20:15:00Z"}, "at"),
    ({"at": "1969-12-31T23:59:59Z"}, "at"),
    ({"at": 1769890500}, "at"),
    ({"at": "9999-12-31T23:59:59Z"}, "at"),
    ({"x": 1}, "x"),
    ({"kind": "rating", "hours": None, "rating": 5.1}, "rating"),
    ({"kind": "like"}, "hours"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_a_wrong_interaction_is_told_by_its_field_and_nothing_is_stored(
    client: TestClient, wrong: dict[str, Any], field: str
):
    answer = client.post("/interactions", json={**PLAY, **wrong})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == f"body.{field}"
    assert mine(client) == []


def test_valid_rows_are_stored_and_the_others_come_back_with_their_reasons(client: TestClient):
    rows = [PLAY, {**PLAY, "hours": -1, "x": 1}, 7, {**PLAY, "game_id": 20, "at": soon(seconds=30)}]

    answer = client.post("/interactions", json=[*rows, {**PLAY, "at": soon(seconds=90)}])

    assert answer.status_code == 201
    assert answer.json()["rejected"] == [
        {
            "index": 1,
            "field": "hours",
            "reason": "Input should be greater than or equal to 0; x: Extra inputs are not permitted",
        },
        {"index": 2, "field": None, "reason": "must be an object: one interaction"},
        {"index": 4, "field": "at", "reason": "must not be in the future"},
    ]
    assert mine(client) == [(10, "play"), (20, "play")]


def test_a_list_without_a_valid_row_is_422(client: TestClient):
    answer = client.post("/interactions", json=[{**PLAY, "hours": -1}, "x"])

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["body.0.hours", "body.1"]


@pytest.mark.parametrize("body", [[], [PLAY] * 1001])
def test_a_list_of_a_wrong_length_is_refused_whole(client: TestClient, body: list[object]):
    answer = client.post("/interactions", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")
    assert mine(client) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"user_id": "eve", "game_id": ' + b"9" * 5000 + b', "kind": "like"}',
        b'{"user_id": "eve", "game_id": 1, "kind": "play", "hours": NaN}',
        b'{"user_id": "eve", "game_id": 1, "kind": "play", "hours": 1e999}',
        b'{"user_id": "eve", "game_id": Infinity, "kind": "like"}',
        b'{"user_id": "\\ud800", "game_id": 1, "kind": "like"}',
        b'{"user_id": "eve", "game_id": 1, "kind": "like", "\\ud800": 1}',
        b'{"user_id": "eve", "game_id": 1, "kind": "\\ud800"}',
    ],
)
def test_a_body_that_cannot_be_taken_is_422(client: TestClient, body: bytes):
    answer = client.post("/interactions", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:problem:invalid-request")
    assert answer.json()["detail"].startswith("body")
    assert mine(client) == []


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE interactions; --", "%", '"', "a/b", "\\", "\U0001f3ae", "a' OR '1'='1"]
)
def test_sql_in_any_field_is_data(client: TestClient, name: str):
    client.post("/interactions", json={**PLAY, "event_id": name})
    client.post("/interactions", json={**PLAY, "user_id": name, "event_id": name})
    path = client.base_url.join("/users/" + "".join(f"%{byte:02X}" for byte in name.encode()))

    assert client.get(f"{path}/interactions").json()["total"] == 1
    assert client.delete(f"{path}/interactions/10/play").status_code == 204
    assert client.get(f"{path}/interactions").json()["total"] == 0
    assert client.delete(str(path)).status_code == 204
    assert mine(client) == [(10, "play")]


def test_one_interaction_is_taken_back(client: TestClient):
    client.post("/interactions", json=[PLAY, {"user_id": "eve", "game_id": 20, "kind": "dislike"}])

    assert client.delete("/users/eve/interactions/20/dislike").status_code == 204
    again = client.delete("/users/eve/interactions/20/dislike")

    assert (again.status_code, again.json()["type"]) == (404, "urn:problem:interaction-not-found")
    assert "no dislike of game 20 by the player 'eve'" in again.json()["detail"]
    assert mine(client) == [(10, "play")]
    for wrong in ("/users/eve/interactions/x/play", "/users/eve/interactions/10/open"):
        assert client.delete(wrong).status_code == 422


def test_an_erased_player_is_unknown_at_once(client: TestClient):
    """Ann is one whom the model was trained on."""
    client.post("/interactions", json={**PLAY, "user_id": "ann", "game_id": 30})
    assert recommended(client, "ann") == [60, 50, 40]

    assert client.delete("/users/ann").status_code == 204
    assert client.delete("/users/ann").status_code == 204

    answer = client.get("/recommend/ann").json()
    assert [game["game_id"] for game in answer["games"]] == [60, 50, 40, 30, 20, 10]
    assert answer["warnings"][0]["code"] == "unknown_player"
    assert mine(client, "ann") == []


def test_who_comes_back_is_known_by_what_is_new(client: TestClient):
    client.delete("/users/ann")
    client.post("/interactions", json={**PLAY, "user_id": "ann", "game_id": 20})

    assert recommended(client, "ann") == [10, 30, 60, 50, 40]


def test_taking_back_everything_is_not_erasing_somebody_of_such_a_name(client: TestClient):
    client.post("/interactions", json=PLAY)

    answer = client.delete("/users/eve/interactions")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert mine(client) == [(10, "play")]
    assert client.options("/games/10/hidden").headers["allow"] == "DELETE, PUT"
    assert client.post("/docs").headers["allow"]


def test_writing_needs_no_model(modelless_client: TestClient):
    modelless_client.headers["X-API-Key"] = ADMIN_KEY
    assert modelless_client.post("/interactions", json=PLAY).json() == {
        "stored": 1,
        "repeated": 0,
        "unknown_games": None,
        "rejected": [],
    }
    assert modelless_client.get("/users/eve/interactions").json()["interactions"][0]["name"] is None


def test_while_the_database_is_away_writes_are_503_and_afterwards_all_is_well(own_postgres: Postgres):
    url = own_postgres.create_database()
    with administered(url) as client:
        assert client.post("/interactions", json=PLAY).status_code == 201
        own_postgres.stop()

        answers = [client.post("/interactions", json=PLAY), client.delete("/users/eve"), client.get("/games/hidden")]

        for answer in answers:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert answer.json()["type"] == "urn:problem:database-unavailable"
            assert "postgres" not in answer.text
        own_postgres.start()
        assert mine(client) == [(10, "play")]


def test_two_workers_share_what_is_written(client: TestClient, service_url: str):
    with administered(service_url) as other:
        other.post("/interactions", json=PLAY)
        assert recommended(client)[0] == 20
        client.delete("/users/ann")
        other.put("/games/60/hidden")
        assert recommended(other, "ann") == recommended(client, "ann") == [50, 40, 30, 20, 10]


def test_the_documented_example_is_an_answer():
    example = WriteSummary.model_json_schema()["example"]

    assert WriteSummary.model_validate(example).model_dump(mode="json") == example
