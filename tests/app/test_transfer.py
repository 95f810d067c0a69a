"""`POST /import` and `GET /export`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.core import exporting
from app.core.interactions import InteractionStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.app.conftest import ADMIN_KEY, administered
from tests.postgres import Postgres
from tests.worlds import publish

ROWS = "user_id,game_id,kind,hours,rating,at\nzoë,20,like,,,\nzoë,4200,play,12.5,,1970-01-02T00:00:00Z\n"


@pytest.fixture
def service_url(migrated_url: str) -> str:
    return migrated_url


@pytest.fixture
def client(admin: TestClient) -> TestClient:
    return admin


@pytest.fixture
def interactions(client: TestClient) -> InteractionStore:
    app: Any = client.app
    store: InteractionStore = app.state.interactions
    return store


def test_a_file_goes_in_and_comes_out_the_same(client: TestClient, interactions: InteractionStore):
    answer = client.post("/import", content=ROWS + ",1,,,,\n")

    assert answer.status_code == 200
    assert answer.json() == {
        "rows": 2,
        "players": 1,
        "games": 2,
        "went_on_at": 0,
        "set_aside_rows": 1,
        "set_aside": [{"line": 4, "reason": "user_id must have 1 to 128 characters"}],
        "unmatched_rows": 0,
        "unmatched": [],
    }
    assert list(interactions.rows()) == [("zoë", 20, 3, 1.0, None), ("zoë", 4200, 1, 12.5, 86_400.0)]
    out = client.get("/export")
    assert (out.text, out.headers["content-type"]) == (ROWS, "text/csv; charset=utf-8")
    assert out.headers["content-disposition"] == 'attachment; filename="interactions.csv"'
    lines = client.get("/export", params={"format": "jsonl"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert client.post("/import", params={"format": "jsonl"}, content=lines.content).json()["rows"] == 2
    assert client.get("/export").text == ROWS
    assert {path.name.split(".")[0] for path in Path("data").iterdir()} <= {"interactions"}  # the upload is gone


def test_titles_are_looked_up_in_the_live_model(client: TestClient, interactions: InteractionStore):
    answer = client.post("/import", content="7,Game 10,play,3,0\n7,Unknown,play,3,0\n").json()

    assert (answer["rows"], answer["unmatched"]) == (1, [{"title": "Unknown", "rows": 1}])
    assert list(interactions.rows()) == [("7", 10, 1, 3.0, None)]


def test_an_export_comes_in_pieces(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    client.post("/import", content=ROWS)
    monkeypatch.setattr(exporting, "_ROWS_AT_ONCE", 1)

    assert client.get("/export").text == ROWS


@pytest.mark.parametrize(
    ("content", "status", "kind", "detail"),
    [
        ("", 422, "import-failed", "The file has no column user_id"),
        ("user_id,game_id\n,1\n", 422, "import-failed", "The file has no valid row; line 2"),
    ],
)
def test_a_file_that_cannot_be_used(client: TestClient, content: str, status: int, kind: str, detail: str):
    answer = client.post("/import", content=content)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem:{kind}")
    assert answer.json()["detail"].startswith(detail)
    assert client.post("/import", params={"format": "xml"}, content=ROWS).status_code == 422
    assert client.get("/export", params={"format": "parquet"}).status_code == 422


def test_titles_wait_for_a_model(modelless_client: TestClient):
    modelless_client.headers["X-API-Key"] = ADMIN_KEY
    assert (
        modelless_client.post("/import", content="7,Portal,play,3,0\n").json()["type"] == "urn:problem:model-not-loaded"
    )
    assert modelless_client.post("/import", content=ROWS).status_code == 200


def test_a_file_has_a_limit(store: ModelStore):
    publish(store)
    row = b"a" * 120 + b",1\n"

    def pieces() -> Iterator[bytes]:
        yield b"user_id,game_id\n"
        for _ in range(11):
            yield row * 800

    with TestClient(create_app(Settings(import_max_mb=1, admin_api_key=SecretStr(ADMIN_KEY)))) as client:
        client.headers["X-API-Key"] = ADMIN_KEY
        answer = client.post("/import", content=pieces())
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem:import-too-large")
        assert "IMPORT_MAX_MB" in answer.json()["detail"]
        assert client.post("/import", content=b"user_id,game_id\n" + row * 7000).json()["rows"] == 7000


def test_a_database_that_is_away_is_told(own_postgres: Postgres):
    with administered(own_postgres.create_database()) as client:
        own_postgres.stop()

        for answer in (client.get("/export"), client.post("/import", content=ROWS)):
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:database-unavailable")
            assert answer.headers["retry-after"]
