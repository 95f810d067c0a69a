"""What the pipeline tells while it works: a bar on a terminal, plain lines elsewhere, always on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINES = 10  # plain lines for a whole task

Advance = Callable[[int, int], None]


def console() -> Console:
    """Open standard error as a console; a line is never wrapped where no person sees it on a terminal."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(line: str) -> None:
    """Print one line of progress."""
    console().print(line, markup=False)


@contextmanager
def bar(task: str, unit: str, also: Advance | None = None) -> Iterator[Advance]:
    """Show how far a task is; call what this gives with (done, total) as often as you like, and `also` is told too."""
    with _shown(task, unit) as shown:
        yield _both(shown, also) if also else shown


def _both(first: Advance, second: Advance) -> Advance:
    def advance(done: int, total: int) -> None:
        first(done, total)
        second(done, total)

    return advance


@contextmanager
def _shown(task: str, unit: str) -> Iterator[Advance]:
    to = console()
    if not to.is_terminal:
        yield _plain_lines(task, unit, to)
        return
    columns = (TextColumn(task), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn())
    with Progress(*columns, console=to) as progress:
        shown = progress.add_task(task, total=None)
        yield lambda done, total: progress.update(shown, completed=done, total=total)


def _plain_lines(task: str, unit: str, to: Console) -> Advance:
    next_line = 1

    def advance(done: int, total: int) -> None:
        nonlocal next_line
        if done * _LINES >= total * next_line:
            to.print(f"{task}: {done} of {total} {unit}", markup=False)
            next_line = done * _LINES // total + 1

    return advance
