"""Reading a file in a stream: what each of its rows comes to, and lines that are never too long for the memory."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from app.core.errors import ImportFailedError
from app.core.interactions import Interaction
from app.core.rows import OPTIONAL, REQUIRED, interactions_of

_LONGEST_LINE = 1_000_000  # characters


class Read(NamedTuple):
    """What one row of a file came to: interactions, or a reason to set it aside, or a title that is not known.

    `done` says how much of the file is read, in bytes; `line` is the row's line, or its number in a file without lines.
    """

    done: int
    line: int
    interactions: Sequence[Interaction] = ()
    reason: str | None = None
    title: str | None = None


def read_row(done: int, line: int, row: Mapping[str, object], now: float) -> Read:
    """Check one row in the project's own columns."""
    try:
        return Read(done, line, interactions_of(row, now))
    except ValueError as wrong:
        return Read(done, line, reason=str(wrong))


def lines(file: BinaryIO, name: str) -> Iterator[str]:
    """Read the lines of a text in UTF-8, each with its end; raises `ImportFailedError` where it is none."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 0
    try:
        for number, line in enumerate(iter(lambda: text.readline(_LONGEST_LINE), ""), start=1):
            if len(line) == _LONGEST_LINE:
                raise ImportFailedError(f"{name}: line {number} is longer than {_LONGEST_LINE:,} characters.")
            yield line
    except UnicodeDecodeError as unreadable:
        # What is read ahead is not decoded, so the line itself is not known.
        byte = unreadable.object[unreadable.start]
        raise ImportFailedError(
            f"{name} is no text in UTF-8: behind line {number} is a byte {byte:#x}."
        ) from unreadable
    finally:
        if not text.closed:
            text.detach()  # the file stays open for whoever opened it


def no_valid_row(name: str, first_bad: Read | None) -> ImportFailedError:
    """Say that a file has nothing to import, and what is wrong with its first row."""
    reason = f"; line {first_bad.line}: {first_bad.reason}" if first_bad else ""
    return ImportFailedError(f"{name} has no valid row{reason}.")


def check_columns(names: Sequence[str], name: str) -> None:
    """Raise `ImportFailedError` unless the columns that a file must have are there, and each only once."""
    missing = [column for column in REQUIRED if column not in names]
    if missing:
        raise ImportFailedError(
            f"{name} has no column {' and no column '.join(missing)}; it must name the columns {','.join(REQUIRED)} "
            f"(a CSV file in its first line) and may name {','.join(OPTIONAL)}.",
        )
    twice = [column for column in (*REQUIRED, *OPTIONAL) if names.count(column) > 1]
    if twice:
        raise ImportFailedError(f"{name} has two columns {' and two columns '.join(twice)}.")
