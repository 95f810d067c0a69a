"""The pace of work beside answering: what holds the interpreter for long keeps those who ask waiting."""

import time

from app.core.artifact import Rest, no_rest

IDLE = 3.0  # times as long as the work before: measured by `benchmarks/swap.py`


class Pace:
    """Rests, at each call, `IDLE` times as long as was worked since the call before."""

    def __init__(self) -> None:
        """Begin to work."""
        self._since = time.perf_counter()

    def __call__(self) -> None:
        """Rest."""
        time.sleep(IDLE * (time.perf_counter() - self._since))
        self._since = time.perf_counter()


def beside(*, answering: bool) -> Rest:
    """Choose a pace: none where nobody is answered yet."""
    return Pace() if answering else no_rest
