"""Keys and limits, as callers meet them."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import bounds, security
from app.core.database import Database
from app.core.errors import DatabaseError, KeysUnavailableError, UnauthorizedError
from app.core.keys import Grant, KeyStore, Scope, id_of
from app.core.settings import Settings
from app.core.store import ModelStore
from app.exception_handlers import documented
from app.main import create_app
from app.security import ADMINISTERS, Guard, Reader, Writer
from tests.worlds import publish

ADMIN_KEY = "an admin key of the settings".replace(" ", "-")


class AtTimesAway(KeyStore):
    """Keys in a database that may go away, or be broken by a bug."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.readings = 0
        self.failure: Exception | None = None

    def grants(self) -> dict[str, Grant]:
        self.readings += 1
        if self.failure:
            raise self.failure
        return super().grants()


@pytest.fixture
def keys() -> Iterator[AtTimesAway]:
    database = Database(Settings().database)
    store = AtTimesAway(database)
    store.prepare()
    yield store
    database.close()


def new_app(**values: object) -> FastAPI:
    """The service, with a route of each scope."""
    app = create_app(Settings(**values))  # type: ignore[arg-type]

    @app.get("/ours")
    async def read(_: Reader) -> str:
        return "read"

    @app.post("/ours")
    async def write(_: Writer) -> str:
        return "written"

    @app.delete("/ours", dependencies=[ADMINISTERS])
    async def administer() -> str:
        return "done"

    return app


@contextmanager
def running(**values: object) -> Iterator[TestClient]:
    store = ModelStore(Settings().model_store)
    if not store.versions():
        publish(store)
    with TestClient(new_app(**values)) as client:
        yield client


def with_key(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


def within_seconds(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.01)
    return False


def statuses(client: TestClient, key: str | None) -> list[int]:
    """What reading, writing and administrating are answered with."""
    headers = {} if key is None else with_key(key)
    return [client.request(method, "/ours", headers=headers).status_code for method in ("GET", "POST", "DELETE")]


def test_each_scope_opens_itself_and_the_narrower(keys: KeyStore):
    made = {scope: keys.make(scope, "shop") for scope in Scope}
    with running(admin_api_key=ADMIN_KEY) as client:
        assert statuses(client, None) == [200, 401, 401]
        assert statuses(client, "") == [200, 401, 401]
        assert statuses(client, made[Scope.READ]) == [200, 403, 403]
        assert statuses(client, made[Scope.WRITE]) == [200, 200, 403]
        assert statuses(client, made[Scope.ADMIN]) == [200, 200, 200]
        assert statuses(client, ADMIN_KEY) == [200, 200, 200]


def test_a_wrong_key_is_refused_wherever_it_is_sent():
    wrong = ("wrong", "grk_0123_wrong", "é", "grk_é_é", "x" * 10_000, "' OR 1=1 --")
    paths = ("/recommend/ann", "/games", "/games/10", "/games/10/similar")
    with running() as client:
        for key, path in product(wrong, paths):
            answer = client.get(path, headers={b"X-API-Key": key.encode("latin-1")})

            assert (answer.status_code, answer.json()["type"]) == (401, "urn:problem:unauthorized")
            assert answer.headers["www-authenticate"] == "APIKey"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == "The key in the header X-API-Key is not valid, or was revoked."


def test_reading_is_closed_by_a_setting_and_health_stays_open(keys: KeyStore):
    key = keys.make(Scope.READ, "shop")
    with running(require_read_key=True) as client:
        for path in ("/recommend/ann", "/games", "/games/10", "/games/10/similar"):
            assert client.get(path).json()["detail"].startswith("A key is needed in the header X-API-Key")
            assert client.get(path, headers=with_key(key)).status_code == 200
        for path in ("/health/live", "/health/ready", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_a_narrow_key_is_told_what_is_needed(keys: KeyStore):
    key = keys.make(Scope.READ, "shop")
    with running() as client:
        problem = client.post("/ours", headers=with_key(key)).json()

    assert problem["type"] == "urn:problem:forbidden"
    assert problem["detail"] == "The key's scope is read, and this needs write."


def test_a_key_counts_as_soon_as_it_is_made(keys: KeyStore):
    with running() as client:
        for _ in range(3):
            assert statuses(client, keys.make(Scope.WRITE, "shop")) == [200, 200, 403]


def test_a_revoked_key_is_refused_within_seconds(keys: KeyStore):
    assert security.READ_SECONDS <= 5
    key = keys.make(Scope.WRITE, "shop")
    with running() as client:
        assert statuses(client, key) == [200, 200, 403]
        keys.revoke(id_of(key))
        assert within_seconds(lambda: statuses(client, key) == [401, 401, 401])


def test_the_first_start_prints_an_admin_key_and_the_next_does_not(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    with running() as client:
        [line] = [line for line in capsys.readouterr().err.splitlines() if "grk_" in line]
        key = line.removeprefix("The admin key, shown this once: ")
        assert statuses(client, key) == [200, 200, 200]
    with running() as client:
        assert statuses(client, key) == [200, 200, 200]
    assert "grk_" not in capsys.readouterr().err
    assert key not in caplog.text


def test_with_an_admin_key_in_the_settings_none_is_made(keys: KeyStore, capsys: pytest.CaptureFixture[str]):
    with running(admin_api_key=ADMIN_KEY):
        pass

    assert keys.listed() == []
    assert ADMIN_KEY not in capsys.readouterr().err


def test_the_document_says_which_scope_a_route_needs():
    with running() as client:
        document = client.get("/openapi.json").json()
        assert client.get("/openapi.json").json() == document
    paths = document["paths"]

    assert paths["/ours"]["get"]["security"] == [{}, {"key": ["read"]}]
    assert paths["/ours"]["post"]["security"] == [{"key": ["write"]}]
    assert paths["/ours"]["delete"]["security"] == [{"key": ["admin"]}]
    assert paths["/recommend/{user_id}"]["get"]["security"] == [{}, {"key": ["read"]}]
    assert {"401", "403", "422", "429", "503"} <= set(paths["/recommend/{user_id}"]["get"]["responses"])
    assert "security" not in paths["/health/live"]["get"]
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")


def test_the_document_of_a_closed_service_asks_for_a_key_everywhere():
    with running(require_read_key=True) as client:
        paths = client.get("/openapi.json").json()["paths"]

    assert paths["/ours"]["get"]["security"] == [{"key": ["read"]}]


def test_reading_and_writing_are_limited_apart(keys: KeyStore):
    key, other = (keys.make(Scope.WRITE, "shop") for _ in range(2))
    with running(rate_limit_read="2/hour", rate_limit_write="1/hour") as client:
        assert [client.get("/ours").status_code for _ in range(3)] == [200, 200, 429]
        assert statuses(client, key) == [200, 200, 403]
        assert statuses(client, key) == [200, 429, 403]
        assert statuses(client, other) == [200, 200, 403]
        refused = client.get("/games")
    assert refused.json()["type"] == "urn:problem:too-many-requests"
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600


def test_without_limits_nothing_is_counted():
    with running(admin_api_key=ADMIN_KEY, rate_limit_write="none") as client:
        assert {tuple(statuses(client, ADMIN_KEY)) for _ in range(5)} == {(200, 200, 200)}


@pytest.mark.parametrize(
    ("values", "free"),
    [({}, True), ({"require_read_key": True}, False), ({"rate_limit_read": "5/second"}, False)],
)
def test_reading_is_free_without_a_key_and_a_limit(values: dict[str, object], free: bool, keys: KeyStore):  # noqa: FBT001
    assert Guard(keys, Settings(**values)).reading_is_free is free  # type: ignore[arg-type]


def test_while_the_database_is_away_known_keys_go_on(
    keys: AtTimesAway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    key = keys.make(Scope.WRITE, "shop")
    guard = Guard(keys, Settings(admin_api_key=SecretStr(ADMIN_KEY)))
    guard.refresh()

    keys.failure = DatabaseError("The database is away.")
    unknown = keys.make(Scope.WRITE, "made meanwhile")
    with caplog.at_level(logging.INFO):
        guard.refresh()
        guard.refresh()
        guard.admit(key, "", Scope.WRITE)
        guard.admit(ADMIN_KEY, "", Scope.ADMIN)
        with pytest.raises(KeysUnavailableError, match="cannot be checked") as away:
            asyncio.run(guard.admit_or_ask(unknown, "", Scope.READ))
        assert away.value.retry_after == 2
        with pytest.raises(UnauthorizedError):  # for this one needs no database
            guard.admit("nonsense", "", Scope.READ)
        assert keys.readings == 3
        assert caplog.text.count("the keys cannot be read") == 1

        with monkeypatch.context() as later:
            later.setattr(security, "KEPT_SECONDS", 0.0)
            with pytest.raises(KeysUnavailableError):
                guard.admit(key, "", Scope.WRITE)
            guard.admit(ADMIN_KEY, "", Scope.ADMIN)

        keys.failure = None
        guard.refresh()
        guard.admit(unknown, "", Scope.WRITE)
        assert "the keys are read again" in caplog.text


def test_a_service_whose_database_was_away_at_the_start_makes_its_admin_key_when_it_is_back(
    keys: AtTimesAway, capsys: pytest.CaptureFixture[str]
):
    guard = Guard(keys, Settings())
    prepare, tries = keys.prepare, []

    def away() -> None:
        tries.append(1)
        raise DatabaseError("The database is away.")

    keys.prepare = away  # type: ignore[method-assign]
    guard.refresh()
    guard.refresh()
    err = capsys.readouterr().err
    assert (len(tries), err.count("the keys cannot be read"), err.count("grk_")) == (2, 1, 0)
    with pytest.raises(KeysUnavailableError):
        guard.admit("grk_0123_secret", "", Scope.READ)

    keys.prepare = prepare  # type: ignore[method-assign]
    guard.refresh()
    assert capsys.readouterr().err.count("The admin key, shown this once: grk_") == 1


def test_a_flood_of_wrong_keys_does_not_flood_the_database(keys: AtTimesAway):
    guard = Guard(keys, Settings())
    guard.refresh()

    async def flood() -> list[BaseException | None]:
        attempts = [guard.admit_or_ask(f"grk_{number}_wrong", "", Scope.READ) for number in range(200)]
        return await asyncio.gather(*attempts, return_exceptions=True)

    assert all(isinstance(refused, UnauthorizedError) for refused in asyncio.run(flood()))
    assert keys.readings <= 3


def test_the_service_bounds_bodies_as_its_settings_say():
    with running(admin_api_key=ADMIN_KEY, max_body_kb=1) as client:
        answers = [client.post("/ours", headers=with_key(ADMIN_KEY), content=b" " * size) for size in (1024, 1025)]

    assert [answer.status_code for answer in answers] == [200, 413]
    assert answers[1].json()["type"] == "urn:problem:body-too-large"


def test_refusals_are_documented():
    described = documented(*security.REFUSALS, *bounds.REFUSALS, inputs=False)

    assert set(described) == {401, 403, 408, 413, 429, 503}


def test_a_request_without_an_address_is_admitted():
    with TestClient(new_app(rate_limit_read="5/minute"), client=None) as client:  # type: ignore[arg-type]
        assert client.get("/ours").status_code == 200
