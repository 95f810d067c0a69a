"""Probation as the service does it."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.core.artifact import Artifact
from app.core.database import Database
from app.core.settings import Settings
from app.core.store import ModelStore
from app.tally import Outcome, Tally
from tests.app.conftest import administered
from tests.app.test_start import unmeasured
from tests.app.watched import FIRST, SECOND, told
from tests.worlds import artifact, neighbours, publish, six_games


def publish_one_that_knows_nothing(store: ModelStore, version: str) -> None:
    """All that it can answer with is what is popular."""
    nothing = neighbours({}, {}, {}, {}, {}, {})
    world = replace(six_games(), collaborative=nothing, cold=nothing)
    whole = artifact(version)
    store.publish(Artifact(whole.manifest, {**whole.arrays, **world.to_arrays()}))
    store.activate(version)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_probation_is_told_of_the_model(store: ModelStore):
    publish(store, FIRST)
    with administered() as admin:
        publish(store, SECOND)
        admin.post(f"/models/{SECOND}/activate")

        probation = admin.get(f"/models/{SECOND}").json()["probation"]

    assert probation.keys() == {"until", "answers", "answers_before"}
    assert (probation["answers"], probation["answers_before"]) == (0, 0)


def test_every_way_to_be_answered_is_counted():
    publish(ModelStore(Path("models")), FIRST, data_kind="observed")
    with administered() as client:
        client.get("/recommend/ann?n=1")
        client.get("/recommend/ann?n=1&explain=true")
        client.post("/recommend", json={"played": [{"game_id": 10}], "n": 1})
        client.post("/recommend/batch", json={"user_ids": ["ann", "bob"], "n": 1})
        client.post("/recommend/group", json={"user_ids": ["ann", "bob"], "n": 1})
        client.get("/recommend/ann?offset=10")
        counts = _tally(client).now()

    assert counts.answers == 7
    assert (counts.of(Outcome.UNKNOWN_PLAYER), counts.of(Outcome.PAST_THE_END)) == (5, 1)
    assert sum(counts.latencies) == 4


def _tally(client: TestClient) -> Tally:
    tally: Tally = client.app.state.tally  # type: ignore[attr-defined]
    return tally


@pytest.mark.timeout(180)
def test_a_challenger_that_answers_with_popular_games_alone_is_taken_back_unaided(store: ModelStore):
    """Two workers, as real processes: both see it, one goes back and tells."""
    publish(store, FIRST)
    settings = {"PROBATION_MINUTES": "1", "PROBATION_MIN_ANSWERS": "20", "ADMIN_API_KEY": "admin-key-of-the-tests"}
    with unmeasured(WORKERS="2", **settings) as service:
        service.wait_for("(?s)startup complete.*startup complete")
        for _ in range(120):
            assert service.get("/recommend/ann?n=1")["model_version"] == FIRST

        publish_one_that_knows_nothing(store, SECOND)
        until(lambda: service.get("/recommend/ann?n=1")["model_version"] == SECOND)
        until(lambda: service.get("/recommend/ann?n=1") and store.rejections())
        service.wait_for(f"(?s)(model loaded .*version={FIRST}.*){{4}}")
        assert {service.get("/recommend/ann?n=1")["model_version"] for _ in range(30)} == {FIRST}

        # An answer or two of the new model may come between the swap and the count that tells before from after.
        assert re.search(r"rose from [0-5]\.\d % to (9\d|100)\.\d %", store.rejections()[SECOND].reason)
        assert len(re.findall("the model was taken back", service.log)) == 1
        database = Database(Settings().database)
        assert [kind for kind, _ in told(database)] == ["rollback"]
        database.close()
