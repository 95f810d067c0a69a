"""An import: the rows of a file into the store, one transaction a batch."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from app.core.errors import ImportFailedError
from app.core.importing.formats import Format
from app.core.importing.place import Place
from app.core.importing.readers import detect, read
from app.core.importing.reading import Read, no_valid_row
from app.core.importing.summary import ImportSummary
from app.core.interactions import InteractionStore
from app.core.titles import Titles

ROWS_AT_ONCE = 5_000

Advance = Callable[[int, int], None]


class Source(NamedTuple):
    """A file that can be sought in, what it is called in errors, and its format, if it is told."""

    file: BinaryIO
    name: str
    written_as: Format | None = None


def import_file(
    source: Source,
    store: InteractionStore,
    titles: Callable[[], Titles],
    advance: Advance = lambda _done, _total: None,
) -> ImportSummary:
    """Write the valid rows of a file to the store; `advance` is told the bytes done and all.

    A row replaces an earlier one of the same player, game and kind, and one that adds hours has an event id: a file
    imported twice counts once. With each batch the place is kept, so an import of the same content that was killed goes
    on where it stopped. Raises `ImportFailedError` where the file has no valid row or lacks a column, having written
    nothing; and where it cannot be read on, having written the batches before that.
    """
    file, name, known = source
    written_as = known or detect(file)
    place = Place(store.database, file, written_as)
    total = file.seek(0, 2)
    file.seek(0)
    run = _Import(store, place)
    try:
        for batch in _batches(read(file, name, written_as, titles)):
            run.write(batch)
            advance(min(batch[-1].done, total), total)
    except ImportFailedError as broken:
        raise ImportFailedError(f"{broken} {run.written}") from broken
    if not run.summary.rows:
        raise _nothing(name, run.summary)
    place.forget()
    return run.summary


class _Import:
    """The writing of one file's batches, in order."""

    def __init__(self, store: InteractionStore, place: Place) -> None:
        self.summary = ImportSummary(went_on_at=place.read())
        self._store = store
        self._place = place
        self._through = 0
        self._kept = self.summary.went_on_at

    def write(self, batch: list[Read]) -> None:
        """Write a batch, but for what was written by an import before; all rows are counted."""
        fresh = batch[max(0, self._kept - self._through) :]
        self._through += len(batch)
        self.summary.add(batch)
        # Until a row is valid nothing changes, not even the place.
        if fresh and self.summary.rows:
            with self._store.database.write() as connection:
                written = [one for row in fresh for one in row.interactions]
                stored = self._store.write_within(connection, written)
                self._place.keep(connection, self._through)
            self.summary.written.update(one.kind for one, is_new in zip(written, stored, strict=True) if is_new)
            self._kept = self._through

    @property
    def written(self) -> str:
        """Say what an import that fails has written."""
        return f"Its first {self._kept:,} rows are imported." if self._kept else "Nothing is imported."


def _batches(read: Iterator[Read]) -> Iterator[list[Read]]:
    while batch := list(islice(read, ROWS_AT_ONCE)):
        yield batch


def _nothing(name: str, summary: ImportSummary) -> ImportFailedError:
    if summary.unmatched:
        title = summary.unmatched.most_common(1)[0][0]
        return ImportFailedError(f"{name} has no title of a game in the catalogue; the most frequent one is {title!r}.")
    first_bad = Read(0, summary.set_aside[0][0], reason=summary.set_aside[0][1]) if summary.set_aside else None
    return no_valid_row(name, first_bad)
