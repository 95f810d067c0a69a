"""What processes and folders take, read from `/proc` and the disk; Linux alone has the former."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)  # while we read


def files(pid: int) -> int:
    """Count the files, sockets and pipes that a process has open; our own look at them is not counted."""
    return len(os.listdir(_PROC / str(pid) / "fd")) - (pid == os.getpid())  # noqa: PTH208  # one call, so one count


def threads(pid: int) -> int:
    """Count the threads of a process."""
    return len(list((_PROC / str(pid) / "task").iterdir()))


def memory(pid: int) -> tuple[int, int]:
    """Tell how much memory a process has, in bytes: in all, and what it shares with nobody."""
    rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
    found = {name: int(size) * 1024 for name, size in re.findall(r"(\w+): +(\d+) kB", rollup)}
    return found["Rss"], found["Private_Clean"] + found["Private_Dirty"]


def children(pid: int) -> list[int]:
    """List the children of a process, of all its threads, those included that have ended and wait to be noticed."""
    tasks = (_PROC / str(pid) / "task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def descendants(pid: int) -> list[int]:
    """List the children of a process, their children, and so on."""
    found = []
    with suppress(*_GONE):
        for child in children(pid):
            found += [child, *descendants(child)]
    return found


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended, and nobody has noticed."""
    with suppress(*_GONE):
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def mapped(pid: int, folder: Path) -> set[str]:
    """Name the entries of a folder of which a process has files in its memory, removed ones included."""
    maps = (_PROC / str(pid) / "maps").read_text()
    return set(re.findall(rf"{re.escape(str(folder.resolve()))}/([^/\n ]+)", maps))


def started_with(word: str) -> Iterator[int]:
    """Find all processes that have a word in their environment."""
    for entry in _PROC.iterdir():
        with suppress(*_GONE):
            if entry.name.isdigit() and word.encode() in (entry / "environ").read_bytes():
                yield int(entry.name)


def command(pid: int) -> str:
    """Write the command line of a process."""
    return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def own_threads() -> list[str]:
    """Name the threads of this process that Python knows of."""
    return sorted(thread.name for thread in threading.enumerate())


def weigh(folder: Path) -> tuple[int, int]:
    """Count the files below a folder, and their bytes; what goes meanwhile is not counted."""
    number = size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += (Path(path) / name).lstat().st_size
                number += 1
    return number, size
