"""What happens between SIGTERM and the end."""

import asyncio
import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.core.store import ModelStore
from app.stopping import Stopping, close_the_door
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
    with started(WORKERS=workers, STOP_DELAY="4") as service:
        service.wait_for("startup complete" if workers == "1" else "(?s)startup complete.*startup complete")
        kept = http.client.HTTPConnection(urlsplit(service.address).netloc, timeout=5)
        kept.request("GET", "/recommend/ann?n=1")
        assert kept.getresponse().read()
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("told to stop: answering" if workers == "1" else "(?s)(told to stop: answering.*){2}")

        kept.request("GET", "/recommend/ann?n=1")
        answer = kept.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        answer.read()
        assert service.get("/health/ready")["type"] == "urn:problem:service-stopping"
        assert service.get("/health/live") == {"status": "live"}
        assert service.end() == (128 + signal.SIGTERM if workers == "1" else 0)  # uvicorn's supervisor ends in peace
        assert "Traceback" not in service.log


def test_who_waits_at_the_door_when_it_closes_is_answered():
    """The event loop has not run since they connected: nobody has taken them yet."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"answered"})

    async def answers() -> list[bytes]:
        config = uvicorn.Config(app, port=0, lifespan="off", log_config=None)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        address = server.servers[0].sockets[0].getsockname()
        with ExitStack() as opened:
            waiting = [opened.enter_context(socket.create_connection(address, timeout=5)) for _ in range(3)]
            for connection in waiting:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await close_the_door(server.handle_exit)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address, timeout=5)
            return [connection.recv(1000) for connection in waiting]

    assert [answer[-8:] for answer in asyncio.run(answers())] == [b"answered"] * 3


def test_what_is_no_server_has_no_door():
    asyncio.run(close_the_door(lambda *_: None))
