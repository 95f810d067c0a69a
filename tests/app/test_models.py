"""`/models`: which versions there are, and making one of them current."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.core.artifact import FORMAT_VERSION
from app.core.store import ModelStore
from tests.app.conftest import administered
from tests.core.test_artifact import flip_a_bit, forge
from tests.worlds import artifact, publish

FIRST, SECOND, THIRD = (f"2026010{day}T000000-000000" for day in (1, 2, 3))
ROOT = Path("models")


def listed(admin: TestClient, query: str = "") -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = admin.get(f"/models{query}").json()["models"]
    return models


def test_the_versions_are_listed_the_newest_first(admin: TestClient, store: ModelStore):
    publish(store, SECOND)
    store.publish(artifact(THIRD))

    page = admin.get("/models").json()

    assert page["total"] == 3
    assert [(one["version"], one["is_current"], one["is_predecessor"]) for one in page["models"]] == [
        (THIRD, False, False),
        (SECOND, True, False),
        (FIRST, False, True),
    ]
    assert page["models"][2] == {
        "version": FIRST,
        "is_current": False,
        "is_predecessor": True,
        "rejected": None,
        "problem": None,
        "created_at": "2026-01-01T00:00:00Z",
        "data_kind": "simulated",
        "catalogue_source": "starter",
        "counts": {"games": 6, "players": 3, "plays": 9, "plays_left_out": 0, "neighbours": 4},
        "headline": {"ndcg@10": {"value": 0.25, "low": 0.2, "high": 0.3}},
        "gate": {"promoted": True, "reason": "There is no other version to serve.", "forced": False},
    }
    assert [one["version"] for one in listed(admin, "?n=1&offset=1")] == [SECOND]
    assert listed(admin, "?offset=3") == []


def test_a_version_that_was_taken_back_says_why(admin: TestClient, store: ModelStore):
    publish(store, SECOND)
    store.roll_back(SECOND, "It answers nothing.")

    taken_back = listed(admin)[0]

    assert taken_back["rejected"]["reason"] == "It answers nothing."
    assert abs(datetime.fromisoformat(taken_back["rejected"]["at"]).timestamp() - time.time()) < 60
    assert admin.get(f"/models/{SECOND}").json()["rejected"] == taken_back["rejected"]


def test_a_version_whose_manifest_cannot_be_read_is_listed_with_its_problem(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    (ROOT / SECOND / "manifest.json").write_text("{")

    broken = listed(admin)[0]

    assert broken["problem"] == f"The manifest of {SECOND} cannot be read."
    assert {name for name, value in broken.items() if value is None} == {
        *("rejected", "created_at", "data_kind", "catalogue_source", "counts", "headline", "gate")
    }
    answer = admin.get(f"/models/{SECOND}")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:model-unusable")


def test_with_a_broken_pointer_nothing_is_current(admin: TestClient):
    (ROOT / "current").write_text("nonsense")

    assert [one["is_current"] for one in listed(admin)] == [False]


def test_a_version_tells_its_whole_manifest(admin: TestClient, store: ModelStore):
    changes = {"before": FIRST, "games": {"new": {"count": 1, "examples": []}}}
    store.publish(
        artifact(SECOND, metrics={"model": None}, git_commit="abc"),
        {
            "report.json": b'{"changes": {"before": "%s", "games": {"new": {"count": 1, "examples": []}}}}'
            % FIRST.encode()
        },
    )

    detail = admin.get(f"/models/{SECOND}").json()

    assert detail["changes"] == changes
    assert (detail["format_version"], detail["git_commit"], len(detail["digest"])) == (FORMAT_VERSION, "abc", 64)
    assert (detail["metrics"], detail["headline"]) == ({"model": None}, {})
    assert (detail["is_current"], detail["is_predecessor"], detail["rejected"]) == (False, False, None)
    assert (detail["probation"], "sha256" in detail) == (None, False)
    assert admin.get(f"/models/{FIRST}").json()["changes"] is None


def test_activating_answers_with_the_model_and_the_next_answer_is_of_it(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    assert admin.get("/recommend/ann").json()["model_version"] == FIRST

    answer = admin.post(f"/models/{SECOND}/activate")

    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["is_current"]) == (SECOND, True)
    assert admin.get("/recommend/ann").json()["model_version"] == SECOND
    assert store.predecessor() == FIRST
    assert admin.post(f"/models/{FIRST}/activate").json()["is_current"] is True
    assert admin.get("/health/ready").json()["model_version"] == FIRST


def test_activating_the_first_model_of_a_service(store: ModelStore):
    with administered() as admin:
        assert admin.get("/models").json() == {"total": 0, "models": []}
        store.publish(artifact(FIRST))
        assert admin.get("/health/ready").status_code == 503
        assert admin.post(f"/models/{FIRST}/activate").status_code == 200
        assert admin.get("/health/ready").status_code == 200


def test_a_version_taken_back_can_be_activated_by_hand(admin: TestClient, store: ModelStore):
    publish(store, SECOND)
    store.roll_back(SECOND, "It answers nothing.")

    assert admin.post(f"/models/{SECOND}/activate").json()["rejected"] is None


def test_what_is_not_there_cannot_be_got_or_activated(admin: TestClient):
    for answer in (admin.get(f"/models/{SECOND}"), admin.post(f"/models/{SECOND}/activate")):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem:version-not-found")


def cannot_answer(folder: Path) -> None:
    forge(lambda fields: fields.update(config={"weights": {"surprise": 1}}))(folder)


@pytest.mark.parametrize(
    ("damage", "detail"),
    [
        (flip_a_bit, f"collaborative_weights.npy of {SECOND} was altered: its digest does not match."),
        (cannot_answer, f"{SECOND} is whole, but cannot answer: "),
    ],
)
def test_a_broken_version_cannot_be_activated(admin: TestClient, store: ModelStore, damage: Any, detail: str):
    store.publish(artifact(SECOND))
    damage(ROOT / SECOND)

    answer = admin.post(f"/models/{SECOND}/activate")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:model-unusable")
    assert answer.json()["detail"].startswith(detail)
    assert store.current_version() == FIRST
    assert admin.get("/recommend/ann").json()["model_version"] == FIRST


def test_a_repaired_version_is_taken_at_once_though_it_was_refused(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    array = ROOT / SECOND / "popular.npy"
    array.rename("away.npy")
    (ROOT / "current").write_text(SECOND)
    admin.app.state.live_model.refresh()  # type: ignore[attr-defined]
    Path("away.npy").rename(array)

    assert admin.post(f"/models/{SECOND}/activate").status_code == 200
    assert admin.get("/recommend/ann").json()["model_version"] == SECOND


def test_a_store_that_cannot_be_written_to_is_told(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    (ROOT / ".lock").unlink()
    (ROOT / ".lock").mkdir()

    answer = admin.post(f"/models/{SECOND}/activate")

    assert (answer.status_code, answer.json()["type"]) == (507, "urn:problem:model-store-not-writable")
    assert answer.json()["detail"] == "The model store cannot be written to: Is a directory."
    assert admin.get("/recommend/ann").json()["model_version"] == FIRST


def test_none_of_it_is_for_whoever_has_no_admin_key(client: TestClient):
    for answer in (client.get("/models"), client.get(f"/models/{FIRST}"), client.post(f"/models/{FIRST}/activate")):
        assert answer.status_code == 401
