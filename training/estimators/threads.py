"""Threads over ranges of items, for work that releases the interpreter's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TypeVar

from joblib import cpu_count

_RANGES = 256  # enough to keep all cores busy to the end, few enough for each to have arrays as long as the catalogue

Result = TypeVar("Result")


def on_all_cores(work: Callable[[int, int], Result], items: int, at_once: int | None = None) -> list[Result]:
    """Call `work(start, stop)` for ranges of `at_once` items that make up all, and list the results in order."""
    step = at_once or ceil(items / _RANGES) or 1
    starts = range(0, items, step)
    with ThreadPoolExecutor(cpu_count()) as cores:
        return list(cores.map(work, starts, (min(start + step, items) for start in starts)))
