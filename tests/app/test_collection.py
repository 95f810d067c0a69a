"""`GET /collection`: what became of the records that were collected last."""

from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.collection_schemas import CollectionReport
from app.core.documents import RAWG_QUOTA, VALIDATION, Documents
from app.core.errors import DatabaseError
from app.core.settings import Settings
from tests.app.conftest import administered
from tests.fakes import rawg
from training.ingest import to_frame
from training.rawg import Page
from training.validation import validate

RUN_ID = "20261126T040000-abcdef"
MARKUP = "<b onclick='x'>\N{RIGHT-TO-LEFT OVERRIDE}\N{VIDEO GAME}</b>"


def test_before_the_first_run_there_is_nothing():
    with administered() as admin:
        assert admin.get("/collection").json() == {
            **dict.fromkeys(("validated_at", "run_id", "rows", "valid", "repeated", "bad", "stopped_because", "quota")),
            "reasons": [],
            "set_aside": [],
        }


def test_what_a_run_has_kept_is_told(admin: TestClient):
    records: list[Any] = [rawg.game(1), {**rawg.game(2, name=MARKUP), "rating": 7}]
    _, report = validate(to_frame([Page(b"", records, has_next=False)], 100), Settings(validation_max_bad_share=1))
    documents: Documents = admin.app.state.documents  # type: ignore[attr-defined]  # Starlette's application has a state
    documents.put(VALIDATION, {"run_id": RUN_ID, **report.to_document()})

    told = admin.get("/collection").json()
    assert datetime.fromisoformat(told.pop("validated_at")).tzinfo
    assert told == {"run_id": RUN_ID, **report.to_document(), "quota": None}
    assert told["set_aside"][0]["name"] == repr(MARKUP)

    quota = {"run_id": RUN_ID, "month": "2026-11", "limit": 20_000, "spent": 250, "remaining": 19_750}
    documents.put(RAWG_QUOTA, quota)
    told = admin.get("/collection").json()["quota"]
    assert datetime.fromisoformat(told.pop("at")).tzinfo
    assert told == quota


def test_it_is_for_whoever_runs_the_service_and_needs_the_database(monkeypatch: pytest.MonkeyPatch):
    def away(*_args: object) -> None:
        raise DatabaseError("The database is away.")

    monkeypatch.setattr(Documents, "get", away)
    with administered() as admin:
        answer = admin.get("/collection")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:database-unavailable")
        del admin.headers["X-API-Key"]
        assert admin.get("/collection").status_code == 401


def test_the_documented_example_is_an_answer():
    example = CollectionReport.model_json_schema()["example"]
    assert CollectionReport.model_validate(example).model_dump(mode="json") == example
