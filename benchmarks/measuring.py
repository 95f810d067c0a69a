"""Measuring a piece of work in a process of its own."""

import gc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter, process_time
from typing import NamedTuple, ParamSpec, TypeVar

from training.memory import Rise

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Cost(NamedTuple):
    """Seconds on the clock and of all cores together; the rise of memory (10^6 bytes), where the system tells it."""

    seconds: float
    core_seconds: float
    megabytes: float | None


def cost_of(work: Callable[[], Result]) -> tuple[Result, Cost]:
    """Do something once, and tell what it took."""
    gc.collect()
    rise, started, started_cores = Rise(), perf_counter(), process_time()
    result = work()
    seconds, core_seconds = perf_counter() - started, process_time() - started_cores
    return result, Cost(seconds, core_seconds, rise.megabytes())


def alone(work: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
    """Call a function in a new process, which ends with it."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments, **options).result()
