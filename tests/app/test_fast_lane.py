"""The plain request is answered beside the framework: with the bytes of the route, or not at all."""

import re
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import unquote_to_bytes

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.core.database import Database
from app.core.keys import KeyStore, Scope
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import Service, create_app
from tests.worlds import publish

KEY = "admin-key-of-the-tests"
ID = re.compile(rb'"recommendation_id":"[0-9a-f]{32}"')


class Lane:
    """An application whose fast lane, and whose route, can be asked alone."""

    def __init__(self, settings: Settings) -> None:
        publish(ModelStore(settings.model_store))
        app = create_app(settings.model_copy(update={"admin_api_key": SecretStr(KEY)}))
        assert isinstance(app, Service)
        self.app = app
        self.client = TestClient(app, raise_server_exceptions=False)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.client.__exit__()

    def beside(self, target: str, method: str = "GET", kind: str = "http", **more: Any) -> bytes | None:
        """What the fast lane answers to a request; None where it leaves it to the route."""
        path, _, query = target.partition("?")
        scope = {
            "type": kind,
            "method": method,
            "path": unquote_to_bytes(path).decode(),
            "query_string": query.encode(),
            "headers": [],
            "client": ("127.0.0.1", 1),
            **more,
        }
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def answered() -> bool:
            return await self.app.fast_lane.answers(scope, send)

        portal = self.client.portal
        assert portal is not None
        if not portal.call(answered):
            assert sent == []
            return None
        start, body = sent
        headers = dict(start["headers"])
        assert (start["status"], headers[b"content-type"]) == (200, b"application/json")
        assert int(headers[b"content-length"]) == len(body["body"])
        return bytes(body["body"])

    def routed(self, target: str, **headers: str) -> bytes:
        """What the route answers: a parameter that is asked for as it is anyway keeps the fast lane away."""
        plain = "&" if "?" in target else "?"
        answer = self.client.get(f"{target}{plain}offset=0", headers=headers)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory, default_settings: Settings) -> Iterator[Lane]:
    """One with the settings that nobody has changed, for all who only ask."""
    folder = tmp_path_factory.mktemp("lane")
    places = {"data_dir": folder, "model_store": folder / "models", "retrain_enabled": False}
    with Lane(default_settings.model_copy(update=places)) as lane:
        yield lane


def nameless(body: bytes | None) -> bytes:
    assert body is not None
    assert ID.search(body)
    return ID.sub(b"", body)


@pytest.mark.parametrize(
    "target",
    [
        "/recommend/ann",
        "/recommend/bob",
        "/recommend/nobody",
        "/recommend/ann?n=1",
        "/recommend/ann?n=10",
        "/recommend/bob?n=99",
        "/recommend/bob?n=100",
        "/recommend/" + "x" * 128,
        "/recommend/%C3%9C%20%22%5C%23%3F",
        "/recommend/%F0%9F%8E%AE",
        "/recommend/batch",
        "/recommend/group",
    ],
)
def test_the_plain_answer_is_that_of_the_route_to_the_byte(target: str, lane: Lane):
    assert nameless(lane.beside(target)) == nameless(lane.routed(target))
    answer = lane.client.get(target)
    assert nameless(answer.content) == nameless(lane.routed(target))
    routed = lane.client.get(target, params={"offset": 0})
    assert dict(answer.headers) == dict(routed.headers) | {"content-length": answer.headers["content-length"]}


@pytest.mark.parametrize(
    "target",
    [
        "/recommend/",
        "/recommend/zo%C3%AB%2F1",
        "/recommend/ann/",
        "/recommend/ann/why/30",
        "/recommend/" + "x" * 129,
        "/recommend/a%0Ab",
        "/recommend/a%7F",
        "/recommend/a%0A",
        "/recommends/ann",
        "/Recommend/ann",
        "//recommend/ann",
        "/games/10",
        "/recommend/ann?n=",
        "/recommend/ann?n=0",
        "/recommend/ann?n=01",
        "/recommend/ann?n=101",
        "/recommend/ann?n=1000",
        "/recommend/ann?n=-1",
        "/recommend/ann?n=5&n=6",
        "/recommend/ann?n=5&",
        "/recommend/ann?N=5",
        "/recommend/ann?n=5&offset=1",
        "/recommend/ann?explain=true",
        "/recommend/ann?exclude=30",
        "/recommend/ann?unheard=of",
        "/recommend/ann?n=%35",
    ],
)
def test_all_others_are_left_to_the_route(target: str, lane: Lane):
    assert lane.beside(target) is None


def test_other_methods_mounted_paths_and_connections_are_left_to_the_route(lane: Lane):
    assert lane.beside("/recommend/ann") is not None
    assert [lane.beside("/recommend/ann", method) for method in ("HEAD", "POST", "DELETE", "OPTIONS")] == [None] * 4
    assert lane.beside("/recommend/ann", root_path="/api") is None
    assert lane.beside("/recommend/ann", kind="websocket") is None


def test_a_key_opens_the_lane_or_closes_it():
    keys = KeyStore(Database(Settings().database))
    keys.prepare()
    reader = keys.make(Scope.READ, "a shop")
    with Lane(Settings(require_read_key=True)) as lane:
        assert lane.beside("/recommend/ann") is None
        assert lane.client.get("/recommend/ann").status_code == 401
        for right in (KEY, reader):
            headers = [(b"accept", b"*/*"), (b"x-api-key", right.encode())]
            assert nameless(lane.beside("/recommend/ann", headers=headers)) == nameless(
                lane.routed("/recommend/ann", **{"X-API-Key": right})
            )
        for wrong in (b"wrong", b"\xff", b"grk_" + b"0" * 60):
            assert lane.beside("/recommend/ann", headers=[(b"x-api-key", wrong)]) is None
            assert lane.client.get("/recommend/ann", headers={b"X-API-Key": wrong}).status_code == 401


def test_where_reading_is_open_a_wrong_key_is_wrong_all_the_same(lane: Lane):
    assert lane.client.get("/recommend/ann", headers={"X-API-Key": "wrong"}).status_code == 401


@pytest.mark.parametrize("client", [("127.0.0.1", 1), None])
def test_the_rate_limit_holds_beside_the_framework_too(client: tuple[str, int] | None):
    with Lane(Settings(rate_limit_read="2/minute")) as lane:
        assert [lane.beside("/recommend/ann", client=client) is None for _ in range(4)] == [False, False, True, True]


def test_whoever_asks_too_often_is_told_by_the_route():
    with Lane(Settings(rate_limit_read="2/minute")) as lane:
        answers = [lane.client.get("/recommend/ann") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) <= 60


def test_before_the_first_model_the_route_says_so():
    with TestClient(create_app(Settings(admin_api_key=SecretStr(KEY)))) as client:
        assert client.get("/recommend/ann").status_code == 503


def test_a_bug_in_the_lane_is_logged_and_left_to_the_route(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(lane.app.fast_lane, "_recommending", None)
    assert lane.client.get("/recommend/ann?n=1").json()["games"][0]["game_id"] == 30
    assert "the fast lane failed" in caplog.text
