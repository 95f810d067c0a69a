"""How large a request may be and how long it may take, on a real server."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from threading import Thread
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app import exception_handlers
from app.bounds import Bounds

SECONDS = 1.0
JSON = "Content-Type: application/json"


def new_app() -> FastAPI:
    app = FastAPI()
    exception_handlers.install(app)
    app.add_middleware(Bounds, max_body=2048, seconds=SECONDS, unbounded=("/import",))

    @app.post("/letters")
    async def letters(written: list[str]) -> int:
        return len(written)

    @app.post("/import")
    async def import_(request: Request) -> int:
        await asyncio.sleep(SECONDS)
        return len(await request.body())

    @app.get("/fast")
    async def fast() -> str:
        return "fast"

    @app.get("/awaiting")
    async def awaiting() -> None:
        await asyncio.sleep(30)

    @app.get("/in-a-thread")
    def in_a_thread() -> None:
        time.sleep(2 * SECONDS)

    @app.get("/begun")
    async def begun() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "one "
            await asyncio.sleep(2 * SECONDS)
            yield "two"

        return StreamingResponse(pieces())

    return app


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(new_app(), log_config=None, lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join()
    listening.close()


class Caller:
    """A connection on which bytes are sent as they are written here."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=5)
        self._answers = self._socket.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def more(self, body: bytes) -> None:
        self._socket.sendall(body)

    def answer(self) -> tuple[int, dict[str, str], Any]:
        status = int(self._answers.readline().split()[1])
        headers = {}
        while line := self._answers.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, json.loads(self._answers.read(int(headers["content-length"])))

    def rest(self) -> bytes:
        return self._answers.read()

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


@pytest.fixture
def caller(address: tuple[str, int]) -> Iterator[Caller]:
    calling = Caller(address)
    yield calling
    calling.close()


def post(path: str, *headers: str) -> tuple[str, ...]:
    return f"POST {path} HTTP/1.1", "Host: here", JSON, *headers


def get(path: str) -> tuple[str, ...]:
    return f"GET {path} HTTP/1.1", "Host: here"


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def test_a_small_body_goes_through(caller: Caller):
    caller.send(*post("/letters", "Content-Length: 5"), body=b'["a"]')

    assert caller.answer()[::2] == (200, 1)


def test_a_large_body_is_refused_before_it_is_sent(caller: Caller):
    caller.send(*post("/letters", "Content-Length: 2049"))

    status, headers, problem = caller.answer()
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert problem == {
        "type": "urn:problem:body-too-large",
        "title": "The body is too large",
        "status": 413,
        "detail": "The body is larger than 2 KiB; send it in several requests.",
    }


def test_the_limit_itself_is_allowed(caller: Caller):
    body = b'["%s"]' % (b"x" * 2044)
    caller.send(*post("/letters", f"Content-Length: {len(body)}"), body=body)

    assert (len(body), caller.answer()[0]) == (2048, 200)


def test_a_body_that_does_not_tell_its_length_is_counted(caller: Caller):
    caller.send(*post("/letters", "Transfer-Encoding: chunked"))
    caller.more(chunk(b'["a",'))
    for _ in range(30):
        caller.more(chunk(b" " * 100))

    assert caller.answer()[::2][0] == 413
    caller.more(chunk(b'"b"]') + b"0\r\n\r\n")
    caller.send(*get("/fast"))
    assert caller.answer()[::2] == (200, "fast")  # the connection goes on


def test_a_small_body_in_chunks_goes_through(caller: Caller):
    caller.send(*post("/letters", "Transfer-Encoding: chunked"))
    caller.more(chunk(b'["a",') + chunk(b'"b"]') + b"0\r\n\r\n")

    assert caller.answer()[::2] == (200, 2)


def test_more_than_the_length_says_is_not_part_of_the_body(caller: Caller):
    caller.send(*post("/letters", "Content-Length: 5"), body=b'["a"], and more')

    assert b"HTTP/1.1 400 " in caller.rest()  # what follows is no request


@pytest.mark.parametrize("length", ["-1", "many", "5, 5", "0x10"])
def test_a_length_that_is_no_number_is_a_bad_request(length: str, caller: Caller):
    caller.send(*post("/letters", f"Content-Length: {length}"), body=b'["a"]')

    assert caller.rest().startswith(b"HTTP/1.1 400 ")


def test_a_body_that_does_not_come_is_not_waited_for(caller: Caller):
    caller.send(*post("/letters", "Content-Length: 5"), body=b'["a')

    status, headers, problem = caller.answer()
    assert (status, headers["connection"], problem["type"]) == (408, "close", "urn:problem:request-timeout")
    assert problem["detail"] == "The body did not arrive within 1 s."
    assert caller.rest() == b""  # closed


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(caller: Caller):
    caller.send(*post("/letters", "Content-Length: 1000"), body=b"[")
    began = time.monotonic()
    for _ in range(8):
        time.sleep(0.1)
        caller.more(b" ")

    assert caller.answer()[0] == 408
    assert time.monotonic() - began < 4 * SECONDS


@pytest.mark.parametrize("path", ["/awaiting", "/in-a-thread"])
def test_an_answer_that_takes_too_long_is_not_waited_for(path: str, caller: Caller):
    began = time.monotonic()
    caller.send(*get(path))

    status, headers, problem = caller.answer()
    assert SECONDS * 0.9 <= time.monotonic() - began < 1.8 * SECONDS
    assert (status, headers["retry-after"], problem["type"]) == (503, "5", "urn:problem:answer-timeout")
    assert problem["detail"].startswith("There was no answer within 1 s")
    caller.send(*get("/fast"))
    assert caller.answer()[::2] == (200, "fast")


def test_an_answer_that_has_begun_takes_its_time(caller: Caller):
    caller.send(*get("/begun"), "Connection: close")

    assert b"two" in caller.rest()


def test_a_route_can_have_bounds_of_its_own(caller: Caller):
    caller.send(*post("/import", "Content-Length: 5000"), body=b" " * 5000)

    assert caller.answer()[::2] == (200, 5000)


def test_each_request_has_the_whole_time(caller: Caller, address: tuple[str, int]):
    caller.send(*get("/awaiting"))
    time.sleep(SECONDS / 2)
    other = Caller(address)
    other.send(*get("/awaiting"))
    began = time.monotonic()
    assert caller.answer()[0] == 503
    assert other.answer()[0] == 503
    assert time.monotonic() - began >= SECONDS * 0.9
    other.close()


async def receive_nothing() -> Message:
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def send_nowhere(_: Message) -> None:
    pytest.fail("nothing is to be answered")


def scope_of(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": []}


def test_a_request_that_the_server_cancels_is_cancelled():
    async def forever(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    async def cancelled() -> None:
        bounds = Bounds(forever, 1024, SECONDS)
        running = asyncio.ensure_future(bounds(scope_of("/"), receive_nothing, send_nowhere))
        await asyncio.sleep(0.01)
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_what_was_answered_is_not_answered_again_at_the_end_of_the_time():
    """The application goes on for a while after its body was refused."""
    sent: list[Message] = []

    async def stubborn(_scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        assert (await receive())["type"] == "http.disconnect"
        await asyncio.sleep(0.1)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 2000, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Bounds(stubborn, 1024, 0.05)(scope_of("/"), receive, send))

    assert [message.get("status") for message in sent] == [413, None]
