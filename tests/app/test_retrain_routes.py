"""`/retrain`: runs asked for, followed, listed and stopped."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.core.errors import DatabaseError
from app.core.run import RunOptions, State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.retraining_schemas import RunDetail, RunSummary

NEVER = "20260101T000000-abcdef"
ASKED = {"collect": True, "tune": 0, "force": False, "dry_run": False, "full": False}


@pytest.fixture
def runs(admin: TestClient) -> RunStore:
    store: RunStore = admin.app.state.runs  # type: ignore[attr-defined]  # Starlette's application has a state
    return store


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (None, {}),
        ({}, {}),
        ({"tune": 20, "dry_run": True}, {"tune": 20, "dry_run": True}),
        ({"collect": False, "force": True, "full": False}, {"collect": False, "force": True}),
    ],
)
def test_a_run_is_queued(body: object, asked: dict[str, object], admin: TestClient, runs: RunStore):
    answer = admin.post("/retrain", json=body) if body is not None else admin.post("/retrain")

    run = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/retrain/{run['run_id']}"
    assert (run["state"], run["trigger"], run["options"]) == ("queued", "request", {**ASKED, **asked})
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", run["queued_at"])
    assert (run["started_at"], run["runner"], run["steps"], run["result"]) == (None, None, [], {})
    assert admin.get(answer.headers["location"]).json() == {**run, "log_tail": ""}
    assert runs.get(run["run_id"]).options == RunOptions(**{**ASKED, **asked})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        {"tune": -1},
        {"tune": 10_001},
        {"tune": "3"},
        {"tune": 1.5},
        {"force": 1},
        {"collect": "yes"},
        {"dry-run": True},
        {"full": None},
        [],
        "run",
    ],
)
def test_a_wrong_body_is_told_and_queues_nothing(body: object, admin: TestClient, runs: RunStore):
    answer = admin.post("/retrain", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:problem:invalid-request")
    assert runs.newest(1)[0] == 0


@pytest.mark.parametrize("goes_on", [True, False])
def test_where_a_run_goes_on_or_waits_the_answer_leads_to_it(goes_on: bool, admin: TestClient, runs: RunStore):  # noqa: FBT001  # pytest's
    other = runs.queue(Trigger.SCHEDULE).run_id
    if goes_on:
        runs.start(other)

    answer = admin.post("/retrain")

    assert (answer.status_code, answer.headers["location"]) == (409, f"/retrain/{other}")
    assert answer.json() == {
        "type": "urn:problem:run-in-progress",
        "title": "Another run is going on",
        "status": 409,
        "detail": f"Another run is going on, {other}; wait for it to end, or cancel it.",
        "run_id": other,
    }


def test_a_run_that_was_queued_in_the_same_moment_stands_in_the_way_too(
    admin: TestClient, runs: RunStore, monkeypatch: pytest.MonkeyPatch
):
    runs.queue(Trigger.SCHEDULE)
    monkeypatch.setattr(RunStore, "going_on", lambda _self: None)

    answer = admin.post("/retrain")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:run-in-progress")
    assert "location" not in answer.headers  # it ended just now


def test_a_run_is_followed(admin: TestClient, runs: RunStore):
    run_id = runs.queue(Trigger.SCHEDULE).run_id
    runs.start(run_id, "trainer-1:4711")
    begun = time.time()
    steps = [StepTaken(Step.COLLECT, begun, 2.5, 40, 40), StepTaken(Step.VALIDATE, begun + 2.5, done=1, total=3)]
    runs.beat(run_id, steps)
    runs.keep_log(run_id, "Catalogue: 6 games")

    run = admin.get(f"/retrain/{run_id}").json()

    assert (run["state"], run["runner"], run["step"]) == ("running", "trainer-1:4711", "validate")
    assert [(step["name"], step["seconds"], step["done"], step["total"]) for step in run["steps"]] == [
        ("collect", 2.5, 40, 40),
        ("validate", None, 1, 3),
    ]
    assert run["log_tail"] == "Catalogue: 6 games"
    assert run["started_at"] <= run["steps"][0]["started_at"]

    runs.end(run_id, State.FAILED, "Too few games.")
    run = admin.get(f"/retrain/{run_id}").json()
    assert (run["state"], run["error"], run["result"]) == ("failed", "Too few games.", {})
    assert run["ended_at"]


def test_runs_are_listed_the_newest_first(admin: TestClient, runs: RunStore):
    ids: list[str] = []
    for second in range(3):
        runs._now = lambda second=second: 1_700_000_000.0 + second
        ids.insert(0, runs.queue(Trigger.SCHEDULE).run_id)
        runs.end(ids[0], State.SUCCEEDED)

    page = admin.get("/retrain").json()
    assert (page["total"], [run["run_id"] for run in page["runs"]]) == (3, ids)
    assert "log_tail" not in page["runs"][0]
    assert [run["run_id"] for run in admin.get("/retrain?n=1&offset=1").json()["runs"]] == ids[1:2]
    assert admin.get("/retrain?n=101").status_code == 422


def test_a_run_that_waits_is_cancelled_at_once_and_one_that_goes_on_is_asked(admin: TestClient, runs: RunStore):
    waits = runs.queue(Trigger.REQUEST).run_id
    answer = admin.post(f"/retrain/{waits}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")

    goes_on = runs.queue(Trigger.REQUEST).run_id
    runs.start(goes_on)
    answer = admin.post(f"/retrain/{goes_on}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert answer.json()["cancel_at"]

    runs.end(goes_on, State.CANCELLED)
    answer = admin.post(f"/retrain/{goes_on}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:run-ended")


@pytest.mark.parametrize("path", [f"/retrain/{NEVER}", f"/retrain/{NEVER}/cancel"])
def test_a_run_that_never_was_is_not_found(path: str, admin: TestClient):
    answer = admin.request("POST" if path.endswith("cancel") else "GET", path)

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem:run-not-found")


@pytest.mark.parametrize("run_id", ["x" * 65, "a%20b", "%27;--", f"{NEVER}%0A"])
def test_what_can_be_no_run_is_a_wrong_input(run_id: str, admin: TestClient):
    assert admin.get(f"/retrain/{run_id}").status_code == 422
    assert admin.post(f"/retrain/{run_id}/cancel").status_code == 422


def test_runs_are_for_whoever_runs_the_service(client: TestClient):
    for method, path in (
        ("POST", "/retrain"),
        ("GET", "/retrain"),
        ("GET", f"/retrain/{NEVER}"),
        ("POST", f"/retrain/{NEVER}/cancel"),
    ):
        assert client.request(method, path).status_code == 401


def test_while_the_database_is_away_the_answer_says_so(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    def away(*_args: object) -> None:
        raise DatabaseError("The database is away.")

    for name in ("going_on", "newest", "get", "cancel"):
        monkeypatch.setattr(RunStore, name, away)
    ask: list[Callable[[], Any]] = [
        lambda: admin.post("/retrain"),
        lambda: admin.get("/retrain"),
        lambda: admin.get(f"/retrain/{NEVER}"),
        lambda: admin.post(f"/retrain/{NEVER}/cancel"),
    ]
    for asked in ask:
        answer = asked()
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:database-unavailable")
        assert answer.headers["retry-after"] == "2"


def test_the_documented_examples_are_answers():
    for kind in (RunSummary, RunDetail):
        example = kind.model_json_schema()["example"]
        assert kind.model_validate(example).model_dump(mode="json") == example
