import os
import time
from datetime import UTC, datetime

from starlette.testclient import TestClient


def test_with_a_model_the_service_is_live_and_ready(client: TestClient):
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready").json()
    age, trained_at = ready.pop("model_age_seconds"), datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert abs(time.time() - trained_at - age) < 60
    assert ready == {
        "status": "ready",
        "model_version": "20260101T000000-000000",
        "data_kind": "simulated",
        "games": 6,
        "players": 3,
        "worker": os.getpid(),
    }


def test_without_one_it_is_live_but_not_ready(modelless_client: TestClient):
    assert modelless_client.get("/health/live").status_code == 200
    answer = modelless_client.get("/health/ready")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:model-not-loaded")
