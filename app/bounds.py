"""The bounds of a request: how large its body may be, and how long it may take."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import AnswerTooSlowError, BodyTooLargeError, BodyTooSlowError, GameRecommenderError
from app.exception_handlers import answer

# What a route that takes a body may be refused with, for its documentation.
REFUSALS: tuple[type[GameRecommenderError], ...] = (BodyTooLargeError, BodyTooSlowError, AnswerTooSlowError)

_DISCONNECT: Message = {"type": "http.disconnect"}


class Bounds:
    """Answers in the application's stead where a body is too large (413) or too slow (408), or the answer is (503).

    FastAPI's own limit of bodies answers in plain text where the length is declared. An answer that has begun takes as
    long as it takes.
    """

    def __init__(self, app: ASGIApp, max_body: int, seconds: float, unbounded: tuple[str, ...] = ()) -> None:
        """Bound all requests but those whose path begins with one of `unbounded`; `max_body` is in bytes."""
        self._app = app
        self._max_body = max_body
        self._unbounded = unbounded
        self._clock = _Clock(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"].startswith(self._unbounded):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._max_body)
        if scope["method"] != "GET" and _declared_length(scope) > self._max_body:
            await exchange.refuse_as_too_large()
            return
        self._clock.start(exchange)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if exchange.expiry is None:
                raise
        finally:
            self._clock.stop(exchange)
            if exchange.expiry is not None:
                exchange.task.uncancel()
                await exchange.expiry


class _Exchange:
    """One request and its answer, which is begun once: by the application or in its stead."""

    __slots__ = (
        "_arrived",
        "_body",
        "_max_body",
        "_receive",
        "_scope",
        "_send",
        "begun",
        "ends_at",
        "expiry",
        "refused",
        "task",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._max_body = max_body
        self._body = 0
        self._arrived = True  # until a piece of a body says that more will come
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]  # what runs here is a task
        self.begun = False
        self.refused = False
        self.expiry: asyncio.Task[None] | None = None
        self.ends_at = 0.0

    async def receive(self) -> Message:
        """Hand on what the client sends, and an end of the connection where that is too much."""
        if self.refused:
            return _DISCONNECT
        self._arrived = False
        message = await self._receive()
        self._arrived = not message.get("more_body", False)
        self._body += len(message.get("body", b""))
        if self._body > self._max_body and not self.begun:
            await self.refuse_as_too_large()
            return _DISCONNECT
        return message

    async def send(self, message: Message) -> None:
        """Hand on what the application answers, unless it was answered in its stead."""
        if not self.refused:
            self.begun = True
            await self._send(message)

    async def refuse_as_too_large(self) -> None:
        """Answer that the body is too large."""
        most = f"{self._max_body // 1024} KiB"
        await self._refuse(BodyTooLargeError(f"The body is larger than {most}; send it in several requests."))

    def expire(self, seconds: float) -> None:
        """Answer now, and stop the application, unless its answer has begun."""
        if self.begun or self.refused:
            return
        self.refused = True
        # Threads cannot be stopped, so the answer does not wait for the application to end.
        self.expiry = asyncio.create_task(self._refuse(self._too_slow(seconds)))
        self.task.cancel()

    async def _refuse(self, error: GameRecommenderError) -> None:
        self.refused = True
        await answer(error)(self._scope, self._receive, self._send)

    def _too_slow(self, seconds: float) -> GameRecommenderError:
        if self._arrived:
            return AnswerTooSlowError(
                f"There was no answer within {seconds:g} s; what was asked for may be done all the same."
            )
        return BodyTooSlowError(f"The body did not arrive within {seconds:g} s.")


class _Clock:
    """Ends every exchange after the same time, so one timer for the oldest will do: a timer for each costs more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: dict[_Exchange, None] = {}  # the oldest first
        self._timer: asyncio.TimerHandle | None = None

    def start(self, exchange: _Exchange) -> None:
        loop = asyncio.get_running_loop()
        exchange.ends_at = loop.time() + self._seconds
        self._open[exchange] = None
        if self._timer is None:
            self._timer = loop.call_at(exchange.ends_at, self._ring)

    def stop(self, exchange: _Exchange) -> None:
        self._open.pop(exchange, None)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while oldest := next(iter(self._open), None):
            if oldest.ends_at > loop.time():
                self._timer = loop.call_at(oldest.ends_at, self._ring)
                return
            del self._open[oldest]
            oldest.expire(self._seconds)


def _declared_length(scope: Scope) -> int:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(declared) if declared.isdigit() else 0
