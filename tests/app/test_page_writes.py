"""What visitors of the page write: who may, from where, how often, and what becomes of it."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import page_session
from app.core.database import Database
from app.core.documents import Documents
from app.core.errors import DatabaseError, NoPageSessionError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.settings import Settings
from app.core.store import ModelStore
from app.live_model import LiveModel
from app.main import create_app
from app.page_session import PageSessions
from tests.app.conftest import ADMIN_KEY
from tests.worlds import publish, within

HERE = {"Sec-Fetch-Site": "same-origin"}
PLAY = {"user_id": "ann", "game_id": 30, "kind": "play"}


def with_page(app: FastAPI) -> FastAPI:
    """An application with a page that opens sessions."""

    @app.get("/a-page")
    async def page(request: Request, response: Response) -> bool:
        page_session.open(request, response)
        return page_session.may_write(request)

    return app


@contextmanager
def visiting(
    url: str = "http://testserver", *, headers: dict[str, str] = HERE, **values: object
) -> Iterator[TestClient]:
    """A visitor's browser, before it has loaded the page."""
    settings = Settings(admin_api_key=SecretStr(ADMIN_KEY), **values)  # type: ignore[arg-type]
    app = with_page(create_app(settings))
    with TestClient(app, base_url=url, headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def visitor(store: ModelStore, migrated_url: str) -> Iterator[TestClient]:
    """A visitor of the page on either database, while the players are invented."""
    publish(store)
    with visiting(database_url=migrated_url) as client:
        assert client.get("/a-page").json() is True
        yield client


def write(client: TestClient, **more: object) -> tuple[int, str | None]:
    answer = client.post("/page/interactions", json={**PLAY, **more})
    return answer.status_code, answer.json().get("type")


def games(client: TestClient, user_id: str = "ann") -> dict[int, list[str]]:
    return {one["game_id"]: one["kinds"] for one in client.get(f"/users/{user_id}/games").json()["games"]}


def recommended(client: TestClient, user_id: str = "ann") -> list[int]:
    return [one["game_id"] for one in client.get(f"/recommend/{user_id}").json()["games"]]


def store_of(client: TestClient) -> InteractionStore:
    store: InteractionStore = client.app.state.interactions  # type: ignore[attr-defined]
    return store


def test_what_is_written_changes_the_next_answer_and_can_be_taken_back(visitor: TestClient):
    assert recommended(visitor) == [30, 60, 50, 40]

    answer = visitor.post("/page/interactions", json=PLAY)
    assert (answer.status_code, answer.json()) == (201, {"stored": 1})
    assert 'interactions_written_total{by="page",kind="play"} 1.0' in visitor.get("/metrics").text
    assert recommended(visitor) == [60, 50, 40]
    assert write(visitor, game_id=60, kind="hide") == (201, None)
    assert recommended(visitor) == [50, 40]
    assert games(visitor) == {60: ["hide"], 30: ["play"], 10: ["play"], 20: ["play"]}

    undo = "/page/users/ann/interactions"
    assert visitor.delete(f"{undo}/30/play").status_code == 204
    assert visitor.delete(f"{undo}/60/hide").status_code == 204
    assert visitor.delete(f"{undo}/60/hide").json()["type"] == "urn:problem:interaction-not-found"
    assert recommended(visitor) == [30, 60, 50, 40]


def test_what_is_tried_out_ends_no_invented_players_and_the_api_does(visitor: TestClient):
    assert write(visitor, user_id="a newcomer") == (201, None)
    assert not store_of(visitor).has_plays()

    visitor.post("/interactions", json=PLAY, headers={"X-API-Key": ADMIN_KEY})

    assert store_of(visitor).has_plays()
    assert write(visitor) == (403, "urn:problem:page-writes-off")
    assert visitor.delete("/page/users/ann/interactions/30/play").status_code == 404
    assert games(visitor)[30] == ["play"]


def test_what_came_of_an_answer_is_counted(visitor: TestClient):
    answer = visitor.get("/recommend/ann").json()
    named = {"recommendation_id": answer["recommendation_id"]}
    assert write(visitor, kind="open", **named) == write(visitor, kind="play", **named) == (201, None)

    def counted() -> None:
        path = f"/models/{answer['model_version']}/outcomes"
        outcomes = visitor.get(path, headers={"X-API-Key": ADMIN_KEY}).json()
        assert (outcomes["opened"]["games"], outcomes["played"]["games"]) == (1, 1)

    within(10, counted)


def test_a_wrong_body_is_refused(modelless_client: TestClient):
    app: FastAPI = modelless_client.app  # type: ignore[assignment]
    app.dependency_overrides[page_session._admitted] = lambda: app.state.page_sessions
    wrong: list[dict[str, object]] = [
        {"kind": "rating"},
        {"kind": None},
        {"game_id": 0},
        {"game_id": "30"},
        {"user_id": ""},
        {"user_id": "x" * 129},
        {"user_id": "a\n"},
        {"hours": 3.0},
        {"at": "2026-01-01T00:00:00Z"},
        {"recommendation_id": "x"},
    ]

    for body in ([PLAY], *({**PLAY, **one} for one in wrong)):
        assert modelless_client.post("/page/interactions", json=body).status_code == 422, body


def test_the_cookie_is_for_the_page_alone(store: ModelStore):
    publish(store)
    with visiting() as client:
        attributes = client.get("/a-page").headers["set-cookie"].split("; ")
    assert attributes[0].startswith("page=")
    assert set(attributes[1:]) == {"HttpOnly", "Max-Age=86400", "Path=/page", "SameSite=strict"}

    with visiting("https://games.example") as client:
        assert "Secure" in client.get("/a-page").headers["set-cookie"].split("; ")
        assert write(client) == (201, None)


def test_only_the_page_itself_may_write(store: ModelStore):
    admitted = [
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://elsewhere.example"},
        {"Origin": "http://testserver"},
        {"Origin": "https://TESTSERVER"},  # a proxy may speak TLS for the service
    ]
    refused = [
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver:81"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://[testserver"},
        {"Origin": "testserver"},
        {"Host": "", "Origin": "http://"},
        {"Referer": "http://testserver/"},
    ]
    publish(store)
    with visiting(headers={}) as client:
        client.get("/a-page")
        for headers in admitted:
            assert client.post("/page/interactions", json=PLAY, headers=headers).status_code == 201, headers
        for headers in refused:
            answer = client.post("/page/interactions", json=PLAY, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:problem:not-same-origin"), headers


def test_a_session_is_needed_and_cannot_be_made_up(visitor: TestClient):
    good = visitor.cookies["page"]
    name, opened_at, signature = good.split(".")
    made_up = [
        "",
        "é",
        ".",
        "a.b.c.d",
        f"{name}.{opened_at}",
        f"{name}.{int(opened_at) + 1}.{signature}",
        f"x{name}.{opened_at}.{signature}",
        f"{good}0",
        f".{signature}",
    ]

    visitor.cookies.clear()
    for cookie in made_up:
        answer = visitor.post("/page/interactions", json=PLAY, headers={b"Cookie": f"page={cookie}".encode()})
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:problem:no-page-session"), cookie
    assert answer.headers["www-authenticate"] == "PageSession"
    assert write(visitor) == (401, "urn:problem:no-page-session")
    assert visitor.delete("/page/users/ann/interactions/30/play").status_code == 401
    assert visitor.post("/page/interactions", json=PLAY, headers={"Cookie": f"page={good}"}).status_code == 201


def test_another_worker_knows_the_session_and_after_a_day_nobody_does(visitor: TestClient):
    settings = visitor.app.state.settings  # type: ignore[attr-defined]
    database = Database(settings.database)
    live = LiveModel(ModelStore(settings.model_store))
    live.refresh()
    cookie = visitor.cookies["page"]
    request = Request(
        {"type": "http", "headers": [(b"cookie", f"page={cookie}".encode()), (b"sec-fetch-site", b"same-origin")]}
    )

    def other(later: float) -> PageSessions:
        sessions = PageSessions(Documents(database), settings, live, lambda: time.time() + later)
        sessions.refresh()
        return sessions

    other(86_000).admit(request)
    with pytest.raises(NoPageSessionError):
        other(86_500).admit(request)
    database.close()


@pytest.mark.parametrize(
    ("setting", "kind", "may_write"),
    [
        ("simulated", "simulated", True),
        ("simulated", "observed", False),
        ("always", "observed", True),
        ("always", "simulated", True),
        ("never", "simulated", False),
    ],
)
def test_when_the_page_may_write_is_a_setting(store: ModelStore, setting: str, kind: str, may_write: bool):  # noqa: FBT001
    publish(store, data_kind=kind)
    with visiting(public_page_writes=setting) as client:
        page = client.get("/a-page")

        assert (page.json(), "set-cookie" in page.headers) == (may_write, may_write)
        assert write(client) == ((201, None) if may_write else (403, "urn:problem:page-writes-off"))
        assert store_of(client).has_plays() is (setting == "always")
        if setting == "always":  # whoever the player is, as by the API
            store_of(client).write([Interaction("ann", 10, Kind.LIKE)])
            assert client.delete("/page/users/ann/interactions/10/like").status_code == 204


def test_before_the_first_model_nobody_knows_whose_it_will_be():
    with visiting() as client:
        assert client.get("/a-page").json() is False
        assert write(client) == (403, "urn:problem:page-writes-off")
        publish(ModelStore(client.app.state.settings.model_store))  # type: ignore[attr-defined]
        client.app.state.live_model.refresh()  # type: ignore[attr-defined]
        assert client.get("/a-page").json() is True
        assert write(client) == (201, None)


def test_a_visit_and_an_address_have_so_many_writes(store: ModelStore):
    publish(store)
    with visiting(rate_limit_page="3/hour") as client:
        client.get("/a-page")
        assert [write(client)[0] for _ in range(4)] == [201, 201, 201, 429]
        client.get("/a-page")  # a new session, of the same address
        refused = client.post("/page/interactions", json=PLAY)
        assert refused.json()["type"] == "urn:problem:too-many-requests"
        assert 3590 <= int(refused.headers["retry-after"]) <= 3600


def test_a_limit_is_there_unless_it_is_switched_off(store: ModelStore):
    publish(store)
    with visiting(rate_limit_page="none") as client:
        client.get("/a-page")
        assert {write(client)[0] for _ in range(5)} == {201}
    assert Settings().rate_limit_page == "120/minute"


def test_where_reading_needs_a_key_writing_does_too(store: ModelStore):
    publish(store)
    with visiting(require_read_key=True) as client:
        client.get("/a-page")
        assert write(client) == (401, "urn:problem:unauthorized")
        assert client.post("/page/interactions", json=PLAY, headers={"X-API-Key": ADMIN_KEY}).status_code == 201


def test_with_the_database_away_at_the_start_the_page_only_shows_until_it_is_there(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def away(*_: object) -> str:
        raise DatabaseError("The database is away.")

    publish(store)
    with monkeypatch.context() as until, caplog.at_level(logging.WARNING):
        until.setattr(Documents, "put_once", away)
        with visiting() as client:
            sessions: PageSessions = client.app.state.page_sessions  # type: ignore[attr-defined]
            sessions.refresh()
            page = client.get("/a-page")
            assert (page.json(), "set-cookie" in page.headers) == (False, False)
            assert write(client) == (503, "urn:problem:database-unavailable")
            assert caplog.text.count("the page shows, and writes nothing") == 1

            until.undo()
            sessions.refresh()
            assert client.get("/a-page").json() is True
            assert write(client) == (201, None)
            assert "page_secret" not in caplog.text
