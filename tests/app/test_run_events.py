"""`GET /retrain/{run_id}/events`: a run as it goes on, watched over real connections."""

import asyncio
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import pytest
import uvicorn
from fastapi import sse
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import run_watch
from app.core.database import Database
from app.core.errors import DatabaseError, RunNotFoundError
from app.core.run import Run, State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from app.run_watch import RunWatch
from tests.app.conftest import ADMIN_KEY
from tests.app.test_start import unmeasured
from tests.worlds import check, publish, within

NEVER = "20260101T000000-abcdef"
HEADERS = {"X-API-Key": ADMIN_KEY}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watch, "READ_SECONDS", 0.02)


@pytest.fixture
def runs(base: Database) -> RunStore:
    return RunStore(base)


@pytest.fixture
def run_id(runs: RunStore) -> str:
    return runs.start(runs.queue(Trigger.REQUEST).run_id).run_id


@pytest.fixture
def server(base: Database) -> Iterator[uvicorn.Server]:
    """The service in this process, listening."""
    app = create_app(Settings(admin_api_key=SecretStr(ADMIN_KEY), database_url=SecretStr(str(base.url))))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    within(20, lambda: check(server.started))
    yield server
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


class Stream:
    """One who watches."""

    def __init__(self, address: str, run_id: str) -> None:
        place = urlsplit(address)
        self._connection = HTTPConnection(str(place.hostname), place.port or 0, timeout=10)
        self._connection.request("GET", f"/retrain/{run_id}/events", headers=HEADERS)
        self.answer = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self._connection.close()

    def block(self) -> list[str]:
        """The lines up to the next empty one; none at the end of the stream."""
        lines = []
        while line := self.answer.readline().decode().rstrip("\n"):
            lines.append(line)
        return lines

    def run(self) -> Any:
        [event, data] = self.block()
        assert event == "event: run"
        return orjson.loads(data.removeprefix("data: "))


def address(server: uvicorn.Server) -> str:
    host, port = server.servers[0].sockets[0].getsockname()
    return f"http://{host}:{port}"


def watch_of(server: uvicorn.Server) -> RunWatch:
    watch: RunWatch = server.config.app.state.run_watch  # type: ignore[union-attr]  # our own application
    return watch


def test_a_run_is_told_at_once_whenever_it_changes_and_a_last_time_at_its_end(
    server: uvicorn.Server, runs: RunStore, run_id: str
):
    with Stream(address(server), run_id) as stream:
        assert stream.answer.status == 200
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["cache-control"] == "no-cache"
        first = stream.run()
        request = urllib.request.Request(f"{address(server)}/retrain/{run_id}", headers=HEADERS)  # noqa: S310  # ours
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # likewise
            assert first == orjson.loads(answer.read())

        runs.beat(run_id, [StepTaken(Step.COLLECT, time.time(), done=1, total=3)])
        assert [(step["done"], step["total"]) for step in stream.run()["steps"]] == [(1, 3)]
        runs.keep_log(run_id, "one\ntwo\r\nthree")
        assert stream.run()["log_tail"] == "one\ntwo\r\nthree"
        runs.end(run_id, State.FAILED, "Too few games.")
        last = stream.run()
        assert (last["state"], last["error"]) == ("failed", "Too few games.")
        assert stream.block() == []

    with Stream(address(server), run_id) as late:
        assert late.run() == last
        assert late.block() == []
    within(5, lambda: check((watch_of(server)._watching, watch_of(server)._feeds) == (0, {})))


def test_while_nothing_changes_there_is_a_comment_now_and_then(
    server: uvicorn.Server, run_id: str, monkeypatch: pytest.MonkeyPatch
):
    assert sse._PING_INTERVAL == 15
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)

    with Stream(address(server), run_id) as stream:
        stream.run()
        assert stream.block() == stream.block() == [": ping"]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    get = RunStore.get

    def watched(store: RunStore, run_id: str) -> Run:
        if threading.current_thread().name.startswith("watch "):
            read.append(run_id)
        return get(store, run_id)

    monkeypatch.setattr(RunStore, "get", watched)
    return read


def test_a_run_is_read_once_for_all_who_watch_and_no_more_when_they_are_gone(
    server: uvicorn.Server, run_id: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_watch, "READ_SECONDS", 30.0)
    read = counted(monkeypatch)

    with ExitStack() as open_ones:
        streams = [open_ones.enter_context(Stream(address(server), run_id)) for _ in range(5)]
        assert {stream.run()["run_id"] for stream in streams} == {run_id}
        assert read == [run_id]
        assert sum(thread.name.startswith("watch ") for thread in threading.enumerate()) == 1

    within(5, lambda: check(not [one for one in threading.enumerate() if one.name.startswith("watch ")]))
    within(5, lambda: check((watch_of(server)._watching, watch_of(server)._feeds) == (0, {})))


def test_one_too_many_is_refused_and_admitted_when_another_has_gone(
    server: uvicorn.Server, run_id: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_watch, "MOST", 1)

    with Stream(address(server), run_id) as first:
        first.run()
        with Stream(address(server), run_id) as second:
            assert (second.answer.status, second.answer.headers["retry-after"]) == (429, "5")
            assert orjson.loads(second.answer.read())["type"] == "urn:problem:too-many-requests"

    def admitted() -> None:
        with Stream(address(server), run_id) as third:
            assert third.answer.status == 200

    within(5, admitted)


def test_a_database_that_is_away_for_a_while_ends_no_stream(
    server: uvicorn.Server, runs: RunStore, run_id: str, capsys: pytest.CaptureFixture[str]
):
    path = Path(str(runs._database.url.database))
    with Stream(address(server), run_id) as stream:
        stream.run()
        path.rename("away.db")
        time.sleep(0.2)
        Path("away.db").rename(path)
        runs.end(run_id, State.SUCCEEDED)
        assert stream.run()["state"] == "succeeded"

    assert capsys.readouterr().err.count("a training run cannot be followed") == 1


def test_a_run_that_is_forgotten_meanwhile_is_the_end_of_the_stream(
    server: uvicorn.Server, run_id: str, monkeypatch: pytest.MonkeyPatch
):
    def gone(_runs: RunStore, run_id: str) -> Run:
        raise RunNotFoundError(run_id)

    with Stream(address(server), run_id) as stream:
        stream.run()
        monkeypatch.setattr(RunStore, "get", gone)
        assert stream.block() == []


def test_what_cannot_be_watched_is_told_as_everywhere(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    answer = admin.get(f"/retrain/{NEVER}/events")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem:run-not-found")
    assert admin.get("/retrain/a%20b/events").status_code == 422

    def away(*_args: object) -> None:
        raise DatabaseError("The database is away.")

    monkeypatch.setattr(RunStore, "get", away)
    answer = admin.get(f"/retrain/{NEVER}/events")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem:database-unavailable")
    assert admin.app.state.run_watch._feeds == {}  # type: ignore[attr-defined]
    del admin.headers["X-API-Key"]
    assert admin.get(f"/retrain/{NEVER}/events").status_code == 401


def test_the_document_says_what_the_events_hold():
    described = create_app(Settings()).openapi()["paths"]["/retrain/{run_id}/events"]["get"]["responses"]

    assert list(described["200"]["content"]) == ["text/event-stream"]
    assert "RunDetail" in str(described["200"]["content"])
    assert {"404", "429", "503"} <= described.keys()


def test_when_the_service_stops_its_streams_end():
    publish(ModelStore(Path("models")))
    with unmeasured(ADMIN_API_KEY=ADMIN_KEY, RETRAIN_ENABLED="false") as service:
        request = urllib.request.Request(f"{service.address}/retrain", b"{}", {**HEADERS}, method="POST")  # noqa: S310  # ours
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # likewise
            run_id = orjson.loads(answer.read())["run_id"]
        with Stream(service.address, run_id) as stream:
            assert stream.run()["state"] == "queued"
            begun = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert stream.block() == []
            assert service.end() == 143
            assert time.monotonic() - begun < 4


async def seen(watch: RunWatch, run_id: str) -> list[str]:
    with watch.watching(run_id) as feed:
        await feed.begun()
        return [run async for run in feed.changes()]


def test_what_is_watched_once_the_service_stops_is_at_its_end(runs: RunStore, run_id: str):
    watch = RunWatch(runs)

    async def stopped() -> list[str]:
        watching = asyncio.create_task(seen(watch, run_id))
        await asyncio.sleep(0.3)
        watch.close()
        return await watching

    [run] = asyncio.run(stopped())
    assert orjson.loads(run)["run_id"] == run_id
    assert asyncio.run(seen(watch, run_id)) == []


def test_who_comes_after_the_end_reads_anew_though_another_is_not_done_with_it(runs: RunStore, run_id: str):
    runs.end(run_id, State.FAILED, "Too few games.")
    watch = RunWatch(runs)

    async def late() -> list[str]:
        with watch.watching(run_id) as feed:
            await feed.begun()
            assert len([run async for run in feed.changes()]) == 1
            runs.keep_log(run_id, "Its last words.")
            with watch.watching(run_id) as other:
                await other.begun()
                return [run async for run in other.changes()]

    [run] = asyncio.run(late())
    assert orjson.loads(run)["log_tail"] == "Its last words."
    assert watch._feeds == {}


def test_a_bug_while_reading_ends_what_is_watched(runs: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch):
    broken: list[object] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    monkeypatch.setattr(RunStore, "get", lambda *_: 1 / 0)

    assert asyncio.run(seen(RunWatch(runs), run_id)) == []
    within(5, lambda: check(len(broken) == 1))
