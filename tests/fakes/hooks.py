"""What the tests' `sitecustomize` does to the product's programs: it stops a run at a place, and takes root's rights.

A run that comes to the place that the file `hold` names writes its process's number to the file `held`, and waits there
until `hold` names another place, or is gone.
"""

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CAPABILITIES_VERSION = 0x20080522


def obey_permissions() -> None:
    """Let this process's root be bound by the permissions of files, as anybody else is."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


def hold(place: str) -> None:
    """Wait here if that is asked for."""
    asked = Path("hold")
    if asked.exists() and asked.read_text() == place:
        Path("held").write_text(str(os.getpid()))
        while asked.exists() and asked.read_text() == place:
            time.sleep(0.02)


def install() -> None:
    """Change what is to be changed in this process."""
    from app import child  # noqa: PLC0415  # the program that is changed, once it is known that it is one

    child._LEAST_NICE = 0  # whoever else works here is not to be waited for
    if Path("no_root").exists():
        obey_permissions()
    if sys.orig_argv[1:4] == ["-m", "training", "run"]:
        _install_in_trainer()


def _install_in_trainer() -> None:
    from app.core import store  # noqa: PLC0415  # likewise
    from training import journal, rawg  # noqa: PLC0415

    step, advance = journal.RunJournal.step, journal.RunJournal.advance
    flush = store.flush  # type: ignore[attr-defined]

    @contextmanager
    def held_step(self: journal.RunJournal, name: Any) -> Iterator[None]:
        with step(self, name):
            hold(name.value)
            yield

    def held_advance(self: journal.RunJournal, done: int, total: int) -> None:
        advance(self, done, total)
        hold(f"advance {done}")

    def held_flush(path: Path) -> None:
        flush(path)
        if path.name.startswith(".aside-"):  # all is written, and no version yet
            hold("aside")

    journal.RunJournal.step = held_step  # type: ignore[method-assign]
    journal.RunJournal.advance = held_advance  # type: ignore[method-assign]
    store.flush = held_flush  # type: ignore[attr-defined]
    rawg._backoff = lambda _state: 0.0  # type: ignore[assignment]
