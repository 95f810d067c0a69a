"""`GET /models/{version}/outcomes`: from an answer, over what the player did, to the counts."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import answer_log
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.outcomes import OutcomeStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from app.outcome_schemas import VersionOutcomes
from tests.app.conftest import ADMIN_KEY, administered
from tests.app.test_start import Service, unmeasured
from tests.worlds import publish

FIRST, SECOND = "20260101T000000-000000", "20260102T000000-000000"
NOTHING = {"games": 0, "answers": 0, "per_game": None, "per_answer": None}


@pytest.fixture
def service_url(migrated_url: str) -> str:
    return migrated_url


@pytest.fixture
def service(database_url: str, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(answer_log, "WRITE_SECONDS", 0.01)
    publish(store)
    settings = Settings(admin_api_key=SecretStr(ADMIN_KEY), database_url=SecretStr(database_url))
    with TestClient(create_app(settings), headers={"X-API-Key": ADMIN_KEY}) as running:
        yield running


def within_seconds(outcomes: Callable[[], Any], answers: int) -> Any:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if (found := outcomes())["answers"] == answers:
            return found
        time.sleep(0.02)
    return pytest.fail(f"{answers} answers are not counted: {found}")


def play(database_url: str, answer: Any, *kinds: Kind) -> None:
    """Do something with the first game of an answer."""
    game_id = answer["games"][0]["game_id"]
    with closing(Database(database_url)) as database:
        InteractionStore(database).write(
            [Interaction("ann", game_id, kind, 1.0, recommendation_id=answer["recommendation_id"]) for kind in kinds]
        )


def test_what_an_answer_led_to_is_counted(service: TestClient, database_url: str):
    """Of two answers with two games each, the first game of one was opened and played."""
    begun = time.time()
    answer = service.get("/recommend/ann?n=2").json()
    service.get("/recommend/bob?n=2&explain=true")
    play(database_url, answer, Kind.OPEN, Kind.PLAY)

    found = within_seconds(lambda: service.get(f"/models/{FIRST}/outcomes").json(), answers=2)

    counted = VersionOutcomes.model_validate(found)
    assert counted.since is not None
    assert begun - 2**24 / 1000 < counted.since.timestamp() < begun
    once = {"games": 1, "answers": 1, "per_game": 0.25, "per_answer": 0.5}
    never = {"games": 0, "answers": 0, "per_game": 0.0, "per_answer": 0.0}
    assert {name: value for name, value in found.items() if name != "since"} == {
        "model_version": FIRST,
        "answers": 2,
        "games": 4,
        **dict.fromkeys(("opened", "played"), once),
        **dict.fromkeys(("rated", "liked", "wishlisted", "disliked", "hidden"), never),
        "lost": 0,
    }


def test_a_version_that_has_not_answered_yet_has_no_rates(service: TestClient, store: ModelStore):
    publish(store, SECOND)

    found = service.get(f"/models/{SECOND}/outcomes").json()

    assert (found["since"], found["answers"], found["opened"]) == (None, 0, NOTHING)


def test_a_version_that_is_gone_from_the_store_keeps_its_outcomes(service: TestClient, store: ModelStore):
    service.get("/recommend/ann")
    within_seconds(lambda: service.get(f"/models/{FIRST}/outcomes").json(), answers=1)
    publish(store, SECOND)
    publish(store, "20260103T000000-000000")
    store.prune(1)

    assert FIRST not in store.versions()
    assert service.get(f"/models/{FIRST}/outcomes").json()["answers"] == 1


def test_a_version_that_never_was_is_not_found(service: TestClient):
    answer = service.get("/models/20200101T000000-000000/outcomes")

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "urn:problem:version-not-found",
        "title": "Version not found",
        "status": 404,
        "detail": "There is no version '20200101T000000-000000' in the model store, and no answer of it in the log.",
    }


@pytest.mark.parametrize("version", ["x" * 65, "%00", "a%20b", "%27;--", f"{FIRST}%0A"])
def test_what_can_be_no_version_is_a_wrong_input(service: TestClient, version: str):
    answer = service.get(f"/models/{version}/outcomes")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "path.version")


def test_outcomes_are_for_whoever_runs_the_service(client: TestClient):
    assert client.get(f"/models/{FIRST}/outcomes").status_code == 401


def test_while_the_database_is_away_the_answer_says_so(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    def away(*_args: object) -> None:
        raise DatabaseError("The database is away.")

    monkeypatch.setattr(OutcomeStore, "of_version", away)

    answer = admin.get(f"/models/{FIRST}/outcomes")

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:database-unavailable")


def test_the_settings_say_which_answers_are_logged(database_url: str, store: ModelStore):
    publish(store)
    settings = Settings(database_url=SecretStr(database_url), answer_log_sample=0, answer_log_days=2)
    app = create_app(settings)
    with TestClient(app) as running:
        running.get("/recommend/ann")

    assert app.state.answer_log._seconds_kept == 2 * 86_400
    with closing(Database(database_url)) as database:
        assert OutcomeStore(database).of_version(FIRST).answers == 0


def test_the_documented_example_is_an_answer():
    example = VersionOutcomes.model_json_schema()["example"]

    shown = VersionOutcomes.model_validate(example).model_dump(mode="json")

    assert {**shown, "since": None} == {**example, "since": None}
    for name in ("opened", "played", "rated", "liked", "wishlisted", "disliked", "hidden"):
        assert example[name]["per_game"] == example[name]["games"] / example["games"]
        assert example[name]["per_answer"] == example[name]["answers"] / example["answers"]


def outcomes_of(service: Service) -> Any:
    address = service.wait_for(r"http://127\.0\.0\.1:\d+")
    asked = Request(f"{address}/models/{FIRST}/outcomes", headers={"X-API-Key": ADMIN_KEY})  # noqa: S310  # our own
    with urlopen(asked, timeout=5) as answer:  # noqa: S310  # our own address
        return json.load(answer)


def test_two_workers_log_for_each_other_and_what_was_answered_outlives_them(database_url: str, store: ModelStore):
    """The first is killed after its answer is written; the second is stopped at once, and writes before it ends."""
    publish(store)
    environment = {"DATABASE_URL": database_url, "ADMIN_API_KEY": ADMIN_KEY}
    with unmeasured(**environment) as one, unmeasured(**environment) as other:
        answer = one.get("/recommend/ann")
        play(database_url, answer, Kind.PLAY)
        found = within_seconds(lambda: outcomes_of(other), answers=1)
        assert found["played"] == {"games": 1, "answers": 1, "per_game": 1 / len(answer["games"]), "per_answer": 1.0}
        one.process.kill()
        other.get("/recommend/ann")
        other.process.terminate()
        other.end()
    with administered(database_url) as again:
        found = again.get(f"/models/{FIRST}/outcomes").json()
    assert (found["answers"], found["played"]["answers"]) == (2, 1)
