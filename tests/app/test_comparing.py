"""`GET /models/{version}/compare`: what would change if another version served."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app import comparing
from app.comparing import Compared, Comparing
from app.comparison_schemas import Comparison
from app.core.artifact import Artifact
from app.core.errors import AnswerTooSlowError
from app.core.exposure import Pair
from app.core.recommender import Recommender
from app.core.store import ModelStore
from app.live_model import LiveModel
from tests.app.conftest import administered
from tests.core.test_artifact import flip_a_bit
from tests.core.test_exposure import without_game_60
from tests.worlds import artifact, manifest, publish

FIRST, SECOND, THIRD = (f"2026010{day}T000000-000000" for day in (1, 2, 3))
NOTHING = np.zeros(0, dtype=np.int32)


@pytest.fixture
def admin(store: ModelStore) -> Iterator[TestClient]:
    """The service with the six games live, and beside them a version that has lost 60 and has 70."""
    publish(store, FIRST)
    publish_aside(store, SECOND, without_game_60())
    with administered() as running:
        yield running


def publish_aside(store: ModelStore, version: str, model: Recommender, **fields: Any) -> None:
    held_out = {"held_out_players": NOTHING, "held_out_indptr": np.array([0]), "held_out_indices": NOTHING}
    metrics = {
        "model": {"ndcg@10": {"value": 0.3, "low": 0.2, "high": 0.4}, "mrr@10": {"value": 1, "low": 1, "high": 1}}
    }
    described = manifest(version, **{"metrics": metrics, **fields})
    store.publish(Artifact(described, {**model.to_arrays(), **held_out}))


def compared(admin: TestClient, version: str, query: str = "") -> Any:
    answer = admin.get(f"/models/{version}/compare{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_version_is_compared_with_the_one_that_serves(admin: TestClient):
    # Ann alone is known to both. She has 10 and 70: 20, 30, 60, 50, 40 before, and without 60 after.
    assert compared(admin, SECOND) == {
        "version": SECOND,
        "with": FIRST,
        "same": False,
        "metrics": [
            {
                "name": "ndcg@10",
                "before": {"value": 0.25, "low": 0.2, "high": 0.3},
                "after": {"value": 0.3, "low": 0.2, "high": 0.4},
            },
            {"name": "mrr@10", "before": None, "after": {"value": 1, "low": 1, "high": 1}},
        ],
        "games": {"before": 6, "after": 6},
        "players": {"before": 3, "after": 3},
        "compared": 1,
        "kept": 0.8,
        "risers": [],
        "fallers": [{"game_id": 60, "name": "Game 60", "before": 1, "after": 0}],
        "samples": [
            {
                "user_id": "ann",
                "plays": 2,
                "before": ["Game 20", "Game 30", "Game 60", "Game 50", "Game 40"],
                "after": ["Game 20", "Game 30", "Game 50", "Game 40"],
            }
        ],
        "note": None,
    }


def test_any_two_versions_are_compared_and_one_with_itself(admin: TestClient):
    back = compared(admin, FIRST, f"?with={SECOND}")
    assert (back["with"], back["version"], back["same"]) == (SECOND, FIRST, False)
    assert [mover["game_id"] for mover in back["risers"]] == [60]

    for query in ("", f"?with={FIRST}"):
        itself = compared(admin, FIRST, query)
        assert (itself["same"], itself["compared"], itself["risers"], itself["fallers"]) == (True, 3, [], [])


def test_invented_players_are_not_compared_with_real_ones(admin: TestClient, store: ModelStore):
    publish_aside(store, THIRD, without_game_60(), data_kind="observed", metrics={})

    found = compared(admin, THIRD)

    assert (found["kept"], found["compared"], found["samples"], found["risers"]) == (None, 0, [], [])
    assert found["note"] == "The players before are simulated, these are observed: their lists are not compared."
    assert found["metrics"] == [{"name": "ndcg@10", "before": {"value": 0.25, "low": 0.2, "high": 0.3}, "after": None}]


def test_where_no_player_is_known_to_both_nothing_is_compared(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparing, "some_known_to", lambda *_: np.zeros(0, dtype=np.int64))

    found = compared(admin, SECOND)

    assert (found["kept"], found["samples"]) == (None, [])
    assert found["note"] == "No player was found who is known to both: their lists are not compared."


def test_what_is_not_there_or_broken_is_told_as_everywhere(admin: TestClient, store: ModelStore):
    for path in (f"{THIRD}/compare", f"{FIRST}/compare?with={THIRD}"):
        answer = admin.get(f"/models/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem:version-not-found")
    assert admin.get(f"/models/{FIRST}/compare?with=a/b").status_code == 422

    flip_a_bit(store._root / SECOND)
    for _ in range(2):
        answer = admin.get(f"/models/{SECOND}/compare")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:model-unusable")
        assert answer.json()["detail"].endswith("was altered: its digest does not match.")
    del admin.headers["X-API-Key"]
    assert admin.get(f"/models/{SECOND}/compare").status_code == 401


def test_a_version_that_cannot_answer_is_told(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Pair, "lists", lambda *_: 1 / 0)

    answer = admin.get(f"/models/{SECOND}/compare")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem:model-unusable")
    assert answer.json()["detail"].startswith(f"{FIRST} or {SECOND} is whole, but cannot answer: ")


def test_before_the_first_model_there_is_nothing_to_compare_with(store: ModelStore):
    store.publish(artifact(FIRST))
    with administered() as admin:
        answer = admin.get(f"/models/{FIRST}/compare")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem:version-not-found")
        assert "`with`" in answer.json()["detail"]
        assert compared(admin, FIRST, f"?with={FIRST}")["same"]


class Slow:
    """A world in which a comparison takes until it is let go, and is counted."""

    def __init__(self, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(store, FIRST)
        publish(store, SECOND)
        store.publish(artifact(THIRD))
        self.comparing = Comparing(store, LiveModel(store))
        self.go = threading.Event()
        self.begun: list[tuple[str, str]] = []
        compare = Comparing._compare

        def watched(asked: Comparing, manifests: comparing.Manifests) -> Compared:
            self.begun.append((manifests.after.version, manifests.before.version))
            assert self.go.wait(20)
            return compare(asked, manifests)

        monkeypatch.setattr(Comparing, "_compare", watched)

    def until(self, holds: Callable[[], bool]) -> Any:
        async def look() -> None:
            until = time.monotonic() + 10
            while not holds():
                assert time.monotonic() < until
                await asyncio.sleep(0.01)

        return look()


@pytest.fixture
def slow(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(store, monkeypatch)


def test_one_pair_is_compared_at_a_time_and_each_once(slow: Slow):
    async def ask() -> list[Compared]:
        asked = [
            asyncio.create_task(slow.comparing.compare(*pair))
            for pair in ((THIRD, None), (THIRD, SECOND), (FIRST, None))
        ]
        await slow.until(lambda: len(slow.comparing._asked) == 2 and bool(slow.begun))
        await asyncio.sleep(0.1)
        assert len(slow.begun) == 1
        slow.go.set()
        return [*await asyncio.gather(*asked), await slow.comparing.compare(THIRD, None)]

    found = asyncio.run(ask())

    assert sorted(slow.begun) == [(FIRST, SECOND), (THIRD, SECOND)]
    assert found[0] is found[1] is found[3]


def test_what_nobody_waited_for_is_there_when_it_is_asked_for_again(slow: Slow):
    async def ask() -> Compared:
        first = asyncio.create_task(slow.comparing.compare(THIRD, None))
        await slow.until(lambda: bool(slow.begun))
        first.cancel()
        slow.go.set()
        return await slow.comparing.compare(THIRD, None)

    assert asyncio.run(ask()).exposure.players == 3
    assert slow.begun == [(THIRD, SECOND)]


def test_only_a_few_comparisons_are_remembered(slow: Slow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparing, "KEPT", 1)
    slow.go.set()

    async def ask() -> None:
        for version in (THIRD, FIRST, THIRD):
            await slow.comparing.compare(version, None)

    asyncio.run(ask())
    assert [version for version, _ in slow.begun] == [THIRD, FIRST, THIRD]
    assert len(slow.comparing._asked) == 1


def test_when_the_service_stops_a_comparison_breaks_off(slow: Slow):
    async def ask() -> None:
        asked = asyncio.create_task(slow.comparing.compare(THIRD, None))
        await slow.until(lambda: bool(slow.begun))
        slow.comparing.close()
        slow.go.set()
        with pytest.raises(AnswerTooSlowError, match="The service stops"):
            await asked

    asyncio.run(ask())


def test_the_documented_example_is_an_answer():
    example = Comparison.model_json_schema()["example"]
    assert Comparison.model_validate(example).model_dump(mode="json", by_alias=True) == example
