"""Collected pages on disk: records as received, compressed, one file a page, so that nothing is asked for twice."""

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

import structlog

from app.core.errors import CollectionError
from app.core.files import write_atomically
from training.ledger import utc_now
from training.rawg import Page

log = structlog.get_logger(__name__)

_RECORD = "collection.json"
_UPDATES = "updates"
_GONE = ".gone-"  # before the name of a folder that is being removed
_TIMES = ("started_at", "finished_at", "whole_at")


@dataclass(frozen=True)
class Pages:
    """A folder of numbered pages."""

    folder: Path

    def numbers(self) -> list[int]:
        """List the numbers of the pages that are there."""
        return sorted(int(path.name.split(".")[0]) for path in self.folder.glob("[0-9]*.json.gz"))

    def write(self, number: int, page: Page) -> None:
        """Keep a page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(number), gzip.compress(page.body, compresslevel=5, mtime=0))

    def page(self, number: int) -> Page:
        """Read a page back; `CollectionError` where its file is broken."""
        try:
            return Page.parse(gzip.decompress(self._path(number).read_bytes()))
        except (OSError, EOFError, ValueError, zlib.error) as broken:
            raise CollectionError(f"The kept page {self._path(number)} cannot be read; remove it.") from broken

    def pages(self) -> Iterator[Page]:
        """Read all pages, in order."""
        return map(self.page, self.numbers())

    def salvage(self) -> Iterator[tuple[int, Page]]:
        """Read the pages that can be read, by number, and remove the others, so that they are collected again."""
        for number in self.numbers():
            try:
                yield number, self.page(number)
            except CollectionError as broken:
                log.warning("a kept page is collected again", page=number, reason=str(broken.__cause__))
                self._path(number).unlink()

    def replace_all(self, pages: Iterable[Page]) -> None:
        """Write pages in place of those that are there, numbered from 1."""
        for number in self.numbers():
            self._path(number).unlink()
        for number, page in enumerate(pages, 1):
            self.write(number, page)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json.gz"


@dataclass(frozen=True)
class Collection(Pages):
    """RAWG's list at one time: a folder of pages, and a record of what was asked for and whether all has come.

    It is complete in itself, however it came to be: by one pass over the whole list, or by a pass over what was
    `updated` between two days, whose pages lie in `updates` until they are merged with those of the collection before.
    `games` is how many were asked for, `whole_at` when the last pass over the whole list began.
    """

    source: str
    parameters: dict[str, str]
    started_at: datetime
    finished_at: datetime | None = None
    updated: str | None = None
    games: int = 0
    whole_at: datetime | None = None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Open a collection's folder; None where it is not one."""
        try:
            record = json.loads((folder / _RECORD).read_bytes())
            times = {name: datetime.fromisoformat(record[name]) for name in _TIMES if record.get(name)}
            return cls(folder=folder, **{**record, **times})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    @property
    def updates(self) -> Pages:
        """The pages of what was updated; none once they are merged."""
        return Pages(self.folder / _UPDATES)

    @property
    def read_whole_at(self) -> datetime:
        """Tell when the last pass over the whole list began."""
        return self.whole_at or self.started_at

    def is_of(self, source: str, parameters: dict[str, str]) -> bool:
        """Tell whether this is the list that a source gives to a query."""
        return self.source == source and self.parameters == parameters

    def save(self) -> None:
        """Write the record."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {name: value for name, value in asdict(self).items() if name != "folder"}
        write_atomically(self.folder / _RECORD, json.dumps(record, default=str, indent=2).encode())


class CollectionFolder:
    """All collections, side by side."""

    def __init__(self, root: Path, now: Callable[[], datetime] = utc_now) -> None:
        """Use a folder, which need not exist yet."""
        self._root = root
        self._now = now

    def unfinished(self, source: str, parameters: dict[str, str], updated: str | None = None) -> Collection | None:
        """Find an interrupted pass over the same list, of the same days, the newest if there are several.

        One that began before the newest finished collection did is out of date, and not found.
        """
        latest = self.latest()
        same = (found for found in self._interrupted(source, parameters) if found.updated == updated)
        return max((found for found in same if not latest or _is_later(found, latest)), key=_started, default=None)

    def start(self, source: str, parameters: dict[str, str], updated: str | None = None) -> Collection:
        """Begin a new collection; an interrupted one of the same list is given up for it."""
        for abandoned in self._interrupted(source, parameters):
            self._remove(abandoned)
        now = self._now()
        begun = Collection(
            self._root / f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}", source, parameters, now, None, updated
        )
        begun.save()
        return begun

    def finish(self, collection: Collection, games: int, whole_at: datetime) -> Collection:
        """Record that all pages are there, for as many games as were asked for: from now on this is the newest."""
        finished = replace(collection, finished_at=self._now(), games=games, whole_at=whole_at)
        finished.save()
        shutil.rmtree(finished.updates.folder, ignore_errors=True)  # what is left of it goes with the folder
        return finished

    def keep_only(self, collection: Collection) -> None:
        """Remove the other finished collections, once this one has proved good, and passes it has overtaken."""
        for other in self._all():
            if other.folder != collection.folder and (other.finished_at or _is_later(collection, other)):
                self._remove(other)
        for left in self._root.glob(f"{_GONE}*"):
            shutil.rmtree(left)

    def latest(self) -> Collection | None:
        """Find the newest finished collection."""
        return max((found for found in self._all() if found.finished_at), key=_started, default=None)

    def _interrupted(self, source: str, parameters: dict[str, str]) -> list[Collection]:
        return [found for found in self._all() if not found.finished_at and found.is_of(source, parameters)]

    def _remove(self, collection: Collection) -> None:
        # Renamed first: whoever is killed in the middle leaves no collection that looks whole, and no folder for ever.
        gone = self._root / f"{_GONE}{collection.folder.name}"
        shutil.rmtree(collection.folder.rename(gone))

    def _all(self) -> list[Collection]:
        folders = self._root.iterdir() if self._root.is_dir() else []
        whole = (folder for folder in folders if not folder.name.startswith(_GONE))
        return [found for folder in whole if (found := Collection.read(folder))]


def _started(collection: Collection) -> datetime:
    return collection.started_at


def _is_later(one: Collection, other: Collection) -> bool:
    return one.started_at > other.started_at
