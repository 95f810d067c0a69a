"""The way out: the process goes on answering for a moment after it was told to stop."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.types import Message, Send

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CLOSE = (b"connection", b"close")
_LINGER = 0.5  # seconds for what was taken last to send its request and be answered

Handler = Callable[[int, FrameType | None], Any]

log = structlog.get_logger(__name__)


class Stopping:
    """What happens between SIGTERM and the server's own stop.

    A load balancer, or a client with a connection that it keeps, cannot know that a process is about to go. So for
    `seconds` everything is answered as ever, but `begun` is true: readiness is denied, and each answer closes its
    connection. A second signal, or Ctrl-C, ends the wait.
    """

    def __init__(self, seconds: float) -> None:
        """Wait for `seconds`."""
        self._seconds = seconds
        self.begun = False
        self._leaving: asyncio.Task[None] | None = None

    @contextmanager
    def heeded(self, farewell: Callable[[], Awaitable[object]], *told: Callable[[], object]) -> Iterator[None]:
        """Heed signals on the running event loop.

        Told to stop, `farewell` is awaited during the wait; then all of `told` are called, and the server stops: it
        ends the lifespan once the last answer has ended, and one that is a stream has no end unless it is told. In
        another thread than the main one, where there are no signals, nothing is called.
        """
        loop = asyncio.get_running_loop()

        def leave(server: Handler, number: int) -> None:
            self.begun = True
            self._leaving = loop.create_task(self._leave(farewell, told, server, number))

        def heed(server: Handler, number: int, frame: FrameType | None) -> None:
            if number == signal.SIGTERM and not self.begun:
                loop.call_soon_threadsafe(leave, server, number)
                return
            for one in told:
                loop.call_soon_threadsafe(one)
            server(number, frame)

        with ExitStack() as chained:
            if threading.current_thread() is threading.main_thread():
                for number in _SIGNALS:
                    chained.enter_context(_chained(number, heed))
            yield

    async def _leave(
        self,
        farewell: Callable[[], Awaitable[object]],
        told: tuple[Callable[[], object], ...],
        server: Handler,
        number: int,
    ) -> None:
        log.info("told to stop: answering for a moment longer", seconds=self._seconds)
        failed, _ = await asyncio.gather(farewell(), asyncio.sleep(self._seconds), return_exceptions=True)
        if isinstance(failed, Exception):
            log.error("the farewell failed", exc_info=failed)
        for one in told:
            one()
        await close_the_door(server)
        server(number, None)

    def closing(self, send: Send) -> Send:
        """Send an answer that closes its connection, once the process was told to stop."""
        return _closing(send) if self.begun else send


async def close_the_door(handler: Handler) -> None:
    """Take no more connections, but those that wait to be taken, and answer what they still send.

    A server that just closes its socket resets connections whose client believes them taken, and closes those that it
    took when their request is on its way. The server is whose handler of signals it is.
    """
    server = getattr(handler, "__self__", None)
    if not isinstance(server, uvicorn.Server):
        return
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.Protocol:
        http: type[Any] = server.config.http_protocol_class
        made: asyncio.Protocol = http(server.config, server.server_state, server.lifespan.state, loop)
        return made

    for listener in server.servers:
        waiting = [taken for door in listener.sockets for taken in _waiting(door.fileno())]
        listener.close()
        for taken in waiting:
            await loop.connect_accepted_socket(protocol, taken)
    ends = loop.time() + _LINGER
    while server.server_state.connections and loop.time() < ends:  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.01)


def _waiting(door: int) -> Iterator[socket.socket]:
    with socket.socket(fileno=os.dup(door)) as listening:
        listening.settimeout(0)
        while True:
            try:
                taken, _ = listening.accept()
            except BlockingIOError:
                return
            taken.settimeout(0)
            yield taken


def _closing(send: Send) -> Send:
    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            started: MutableMapping[str, Any] = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(started)
        else:
            await send(message)

    return send_closing


@contextmanager
def _chained(number: signal.Signals, heed: Callable[[Handler, int, FrameType | None], None]) -> Iterator[None]:
    before = signal.getsignal(number)
    if not callable(before):  # the process ends at once, or not at all
        yield
        return
    server: Handler = before
    signal.signal(number, lambda received, frame: heed(server, received, frame))
    try:
        yield
    finally:
        signal.signal(number, before)
