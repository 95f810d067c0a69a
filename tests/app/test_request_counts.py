"""Requests as they are counted: by route, method and status, whatever is asked for."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.core.store import ModelStore
from app.request_counts import BOUNDS, PLAIN_ROUTE, UNMATCHED, Counting, RequestCounts
from tests.app.conftest import administered
from tests.worlds import publish


@pytest.fixture
def client(store: ModelStore) -> Iterator[TestClient]:
    publish(store)
    with administered() as running:
        yield running


def counted(client: TestClient) -> dict[tuple[str, str, str], float]:
    """Requests by route, method and status, but those of this function."""
    return {
        (labels["route"], labels["method"], labels["status"]): value
        for labels, value in samples(client, "game_recommender_requests_total")
        if labels["route"] != "/metrics"
    }


def samples(client: TestClient, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return [(sample.labels, sample.value) for family in families for sample in family.samples if sample.name == name]


def test_requests_count_by_their_routes_template_method_and_status(client: TestClient):
    client.get("/recommend/ann")  # the fast lane's
    client.get("/recommend/ann?n=2")
    client.get("/recommend/ann?explain=true")  # the route's
    client.get("/recommend/ann?n=0")
    client.get("/recommend/ann/why/30")
    client.get("/users/ann/b/interactions")
    client.delete("/users/ann/b")
    client.patch("/health/live")
    client.get("/docs/files/swagger-ui.css")

    assert counted(client) == {
        (PLAIN_ROUTE, "GET", "200"): 3,
        (PLAIN_ROUTE, "GET", "422"): 1,
        ("/recommend/{user_id}/why/{game_id}", "GET", "200"): 1,
        ("/users/{user_id}/interactions", "GET", "200"): 1,
        ("/users/{user_id}", "DELETE", "204"): 1,
        ("/health/live", "PATCH", "405"): 1,
        ("/docs/files", "GET", "200"): 1,
    }


def test_whatever_is_asked_for_there_are_no_more_names(client: TestClient):
    for number in range(30):
        client.get(f"/nothing/{number}")
        client.get(f"/recommend/player-{number}")
        client.request(f"VERB{number}", f"/{number}")

    assert counted(client) == {
        (UNMATCHED, "GET", "404"): 30,
        (PLAIN_ROUTE, "GET", "200"): 30,
        (UNMATCHED, "other", "404"): 30,
    }


def test_failures_and_refusals_count_with_their_status(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.core.recommender.Recommender.recommend", bug)
    client.get("/recommend/ann")
    client.post("/interactions", content=b" " * 2_000_000)

    assert counted(client) == {(PLAIN_ROUTE, "GET", "500"): 1, (UNMATCHED, "POST", "413"): 1}


def test_every_request_is_in_its_routes_histogram_once(client: TestClient):
    for _ in range(3):
        client.get("/recommend/ann")
    client.get("/recommend/ann?explain=true")

    for _ in range(2):
        buckets = samples(client, "game_recommender_request_seconds_bucket")
    of_route = [value for labels, value in buckets if labels["route"] == PLAIN_ROUTE]
    assert len(of_route) == len(BOUNDS) + 1
    assert of_route == sorted(of_route)
    assert of_route[-1] == 4
    ((_, seconds),) = [
        sample
        for sample in samples(client, "game_recommender_request_seconds_sum")
        if sample[0]["route"] == PLAIN_ROUTE
    ]
    assert 0 < seconds < 10


def test_written_interactions_count_by_kind_and_by_what_wrote_them(client: TestClient):
    one = {"user_id": "ann", "game_id": 30, "kind": "play", "event_id": "e"}
    client.post("/interactions", json=one)
    client.post("/interactions", json=[one, {"user_id": "ann", "game_id": 40, "kind": "like"}])
    file = "user_id,game_id,hours,rating\nann,10,2,4\nbob,20,,5\nbob,-1,,5\n"
    assert client.post("/import", content=file).status_code == 200

    written = samples(client, "game_recommender_interactions_written_total")
    assert {(labels["kind"], labels["by"]): value for labels, value in written} == {
        ("play", "api"): 1,
        ("like", "api"): 1,
        ("play", "import"): 1,
        ("rating", "import"): 2,
    }


async def _receive() -> Message:
    return {"type": "http.disconnect"}


async def _send(_message: Message) -> None:
    pass


def ask(app: Any, **more: Any) -> RequestCounts:
    counts = RequestCounts()
    scope = {"type": "http", "method": "GET", "path": "/", **more}
    with suppress(asyncio.CancelledError):
        asyncio.run(Counting(app, counts)(scope, _receive, _send))
    return counts


def test_who_did_not_wait_for_an_answer_counts_too():
    async def gone(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise asyncio.CancelledError

    counts = ask(gone)
    assert counts.answered == {(UNMATCHED, "GET", 499): 1}
    assert sum(counts.latencies[UNMATCHED].counts) == 1


def test_what_breaks_off_counts_as_it_began():
    async def breaks_off(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    assert ask(breaks_off).answered == {(UNMATCHED, "GET", 200): 1}


def test_a_proxys_prefix_is_no_route():
    async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pass

    assert ask(nothing, root_path="/games").answered == {(UNMATCHED, "GET", 499): 1}
    assert not ask(nothing, type="lifespan").answered
