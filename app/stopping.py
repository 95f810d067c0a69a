"""The moment in which the process is told to stop: before the server waits for the answers that are under way."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def told_to_stop(*told: Callable[[], object]) -> Iterator[None]:
    """Call all of `told` on the running event loop as soon as a signal stops the process.

    The server does what it does all the same: it ends the lifespan once the last answer has ended, and one that is a
    stream has no end. In another thread than the main one, where there are no signals, nothing is called.
    """
    loop = asyncio.get_running_loop()

    def tell() -> None:
        for one in told:
            loop.call_soon_threadsafe(one)

    with ExitStack() as chained:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                chained.enter_context(_chained(number, tell))
        yield


@contextmanager
def _chained(number: signal.Signals, tell: Callable[[], object]) -> Iterator[None]:
    before = signal.getsignal(number)
    if not callable(before):  # the process ends at once, or not at all
        yield
        return

    def both(received: int, frame: FrameType | None) -> None:
        tell()
        before(received, frame)

    signal.signal(number, both)
    try:
        yield
    finally:
        signal.signal(number, before)
