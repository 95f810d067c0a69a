"""What happens between SIGTERM and the end."""

import asyncio
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import Message

from app.core.store import ModelStore
from app.stopping import Stopping
from tests.app.test_start import started
from tests.worlds import publish


@contextmanager
def handled(number: int, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def heard_after(stopping: Stopping, *signals: int, fails: bool = False) -> list[str]:
    """Send signals to this process, as a server does that runs on an event loop; what is heard, in its order."""
    heard: list[str] = []

    def server(*_: object) -> None:
        heard.append("server")

    async def farewell() -> None:
        heard.append("farewell")
        if fails:
            raise ValueError("no farewell")

    async def serve() -> None:
        with stopping.heeded(farewell, lambda: heard.append("told")):
            for number in signals:
                os.kill(os.getpid(), number)
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
        assert signal.getsignal(signal.SIGTERM) is server

    with asyncio.Runner() as loop, handled(signal.SIGTERM, server), handled(signal.SIGINT, server):
        loop.get_loop().run_until_complete(serve())
    return heard


def test_told_to_stop_it_says_farewell_then_tells_and_stops():
    stopping = Stopping(0.05)
    assert heard_after(stopping, signal.SIGTERM) == ["farewell", "told", "server"]
    assert stopping.begun


def test_a_farewell_that_fails_stops_nothing():
    assert heard_after(Stopping(0), signal.SIGTERM, fails=True) == ["farewell", "told", "server"]


def test_ctrl_c_and_a_second_signal_end_the_wait():
    assert heard_after(Stopping(30), signal.SIGINT) == ["server", "told"]
    assert heard_after(Stopping(30), signal.SIGTERM, signal.SIGTERM) == ["farewell", "server", "told"]


def test_a_signal_that_ends_the_process_at_once_is_left_alone():
    async def serve() -> None:
        with Stopping(0).heeded(lambda: asyncio.sleep(0)):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL

    with handled(signal.SIGINT, signal.SIG_DFL):
        asyncio.run(serve())


def test_answers_close_their_connection_once_the_stop_has_begun():
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def answer(stopping: Stopping) -> None:
        closing = stopping.closing(send)
        await closing({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await closing({"type": "http.response.body", "body": b""})

    stopping = Stopping(0)
    asyncio.run(answer(stopping))
    stopping.begun = True
    asyncio.run(answer(stopping))
    assert [message.get("headers") for message in sent] == [
        [(b"a", b"b")],
        None,
        [(b"a", b"b"), (b"connection", b"close")],
        None,
    ]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_between_sigterm_and_the_end_everything_is_answered(store: ModelStore, workers: str):
    publish(store, "20260101T000000-000000")
    with started(WORKERS=workers, STOP_DELAY="1") as service:
        service.wait_for("startup complete" if workers == "1" else "(?s)startup complete.*startup complete")
        kept = http.client.HTTPConnection(urlsplit(service.address).netloc, timeout=5)
        kept.request("GET", "/recommend/ann?n=1")
        assert kept.getresponse().read()
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("told to stop: answering" if workers == "1" else "(?s)(told to stop: answering.*){2}")
        began = time.monotonic()

        kept.request("GET", "/recommend/ann?n=1")
        answer = kept.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        answer.read()
        assert service.get("/health/ready")["type"] == "urn:problem:service-stopping"
        assert service.get("/health/live") == {"status": "live"}
        assert service.end() == (128 + signal.SIGTERM if workers == "1" else 0)  # uvicorn's supervisor ends in peace
        assert time.monotonic() - began < 5
        assert "Traceback" not in service.log


def test_who_waits_at_the_door_when_it_closes_is_answered(store: ModelStore):
    """The process is held, so that connections wait to be taken while the time to stop comes."""
    publish(store, "20260101T000000-000000")
    with started(STOP_DELAY="0.2") as service:
        address = urlsplit(service.address).netloc
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("told to stop: answering")
        service.process.send_signal(signal.SIGSTOP)
        waiting = [http.client.HTTPConnection(address, timeout=5) for _ in range(20)]
        for connection in waiting:
            connection.request("GET", "/recommend/ann?n=1")
        time.sleep(0.3)  # in which the time to stop has come
        service.process.send_signal(signal.SIGCONT)
        assert [connection.getresponse().status for connection in waiting] == [200] * len(waiting)
        assert service.end() == 128 + signal.SIGTERM
    assert "Traceback" not in service.log
