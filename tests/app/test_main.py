"""What holds for the application as a whole."""

import logging
import random
import re
import string
import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app import main
from app.core.errors import TrainingError
from app.core.settings import Settings
from app.core.store import ModelStore
from app.live_model import LiveModel
from app.main import create_app
from tests.worlds import publish


def test_what_is_not_there_is_a_problem_too(client: TestClient):
    answer = client.get("/nowhere")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "urn:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing matches the given URI.",
    }
    wrong_method = client.post("/games")
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET")
    assert wrong_method.json()["type"] == "urn:problem:method-not-allowed"


def test_a_bug_is_logged_and_told_without_its_details(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.core.recommender.Recommender.recommend", broken)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/recommend/ann")

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["type"] == "urn:problem:internal-error"
    assert "secret" not in answer.text
    assert "unexpected error" in caplog.text
    assert "secret detail" in caplog.text


def test_an_error_of_ours_that_has_no_status_is_a_bug(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_args: object, **_options: object) -> None:
        raise TrainingError("not meant for here")

    monkeypatch.setattr("app.core.recommender.Recommender.recommend", broken)

    answer = client.get("/recommend/ann")

    assert answer.json()["type"] == "urn:problem:internal-error"
    assert "not meant" not in answer.text
    assert "not meant for here" in caplog.text


def test_the_documentation_needs_no_other_host(client: TestClient):
    page = client.get("/docs").text

    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) == 3
    for link in links:
        assert link.startswith("./docs/files/")
        assert client.get(link.removeprefix(".")).status_code == 200
    assert client.get("/redoc").status_code == 404  # its page would come from elsewhere
    assert "url: 'openapi.json'" in page
    assert "://" not in page


def test_every_route_is_documented_with_a_summary_an_example_and_its_errors(client: TestClient):
    document = client.get("/openapi.json").json()

    assert set(document["paths"]) == {
        "/recommend",
        "/recommend/batch",
        "/recommend/group",
        "/recommend/{user_id}",
        "/recommend/{user_id}/why/{game_id}",
        "/games",
        "/games/popular",
        "/games/new",
        "/games/trending",
        "/games/hidden",
        "/games/{game_id}/hidden",
        "/interactions",
        "/users/{user_id}",
        "/users/{user_id}/games",
        "/users/{user_id}/interactions",
        "/users/{user_id}/interactions/{game_id}/{kind}",
        "/games/{game_id}",
        "/games/{game_id}/similar",
        "/genres",
        "/platforms",
        "/tags",
        "/models",
        "/models/{version}",
        "/models/{version}/activate",
        "/models/{version}/compare",
        "/models/{version}/outcomes",
        "/retrain",
        "/retrain/{run_id}",
        "/retrain/{run_id}/cancel",
        "/retrain/{run_id}/events",
        "/collection",
        "/import",
        "/export",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    for path, methods in document["paths"].items():
        for route in methods.values():
            assert route["summary"]
            if not path.startswith(("/health", "/metrics", "/collection")):  # which ask for nothing
                assert {"422", "503"} < set(route["responses"]), path
                content = route["responses"]["422"]["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert set(document["components"]["schemas"]) >= {"Problem", "Violation"}
    assert "example" in document["components"]["schemas"]["RecommendationList"]


def test_the_application_is_built_from_the_settings_it_is_given():
    publish(ModelStore(Path("elsewhere")))

    with TestClient(create_app(Settings(model_store=Path("elsewhere"), log_level="ERROR"))) as client:
        assert client.get("/health/ready").status_code == 200
    assert logging.getLogger().level == logging.ERROR
    assert main.REFRESH_SECONDS <= 2


def test_models_are_loaded_off_the_event_loop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(main, "REFRESH_SECONDS", 0.01)
    threads: list[str] = []
    monkeypatch.setattr(LiveModel, "refresh", lambda _self: threads.append(threading.current_thread().name))

    with TestClient(create_app(Settings())) as client:
        while len(threads) < 3:
            client.get("/health/live")

    assert all(name.startswith("asyncio_") for name in threads)


def test_a_newly_published_model_is_taken_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(main, "REFRESH_SECONDS", 0.01)
    store = ModelStore(Path("models"))

    def version_within_seconds(wanted: str) -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if client.get("/health/ready").json().get("model_version") == wanted:
                return True
        return False

    with TestClient(create_app(Settings())) as client:
        assert client.get("/health/ready").status_code == 503
        publish(store)
        assert version_within_seconds("20260101T000000-000000")
        publish(store, "20260102T000000-000000", data_kind="observed")
        assert version_within_seconds("20260102T000000-000000")
        assert client.get("/recommend/ann").json()["data_kind"] == "observed"


def test_a_bug_while_refreshing_does_not_end_the_looking(
    client: TestClient, store: ModelStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    refresh = LiveModel.refresh
    bugs = [RuntimeError("a bug")]

    def buggy(self: LiveModel) -> bool:
        if bugs:
            raise bugs.pop()
        return refresh(self)

    monkeypatch.setattr(LiveModel, "refresh", buggy)
    publish(store, "20260102T000000-000000")

    for _ in range(100):
        if client.get("/health/ready").json()["model_version"] == "20260102T000000-000000":
            break
        time.sleep(0.1)
    else:
        pytest.fail("the new model was not taken over")
    assert "a bug" in caplog.text


def _noise(rng: random.Random) -> str:
    alphabet = string.printable + "éß漢\U0001f3ae\x00\x7f" + "%/?#&=;'\"<>\\"
    return "".join(rng.choices(alphabet, k=rng.randrange(0, 40)))


@pytest.mark.untraced
def test_malformed_requests_are_never_our_fault(client: TestClient):
    rng = random.Random(2026)  # noqa: S311  # the same noise every time
    names = ["n", "offset", "exclude", "explain", "q", "x", "sort", "genre", "released_after", "min_rating", "age_max"]
    values = ["", "-1", "0", "1", "NaN", "inf", "1e400", "9" * 400, "٣", "true", "null", "[]", "../..", "\x00"]
    methods = ["GET"] * 8 + ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
    for _ in range(1000):
        middle = rng.choice([_noise(rng), rng.choice(values), "12", "10"])
        path = rng.choice(
            ["/recommend/{}", "/games/{}", "/games/{}/similar", "/games", "/games/new", "/{}", "/health/{}"]
        )
        query = "&".join(
            f"{rng.choice([*names, _noise(rng)])}={rng.choice([*values, _noise(rng)])}" for _ in range(rng.randrange(4))
        )
        encoded = "".join(f"%{byte:02X}" if rng.random() < 0.9 else "%" for byte in middle.encode())
        url = path.format(encoded) + ("?" + query if query else "")
        printable = "".join(c if 32 < ord(c) < 127 and c != "#" else f"%{ord(c) % 256:02X}" for c in url)

        answer = client.request(rng.choice(methods), printable, follow_redirects=False)

        assert answer.status_code < 500, url
        assert "Traceback" not in answer.text
        if answer.status_code >= 400 and answer.text:
            assert answer.headers["content-type"] == "application/problem+json", url
