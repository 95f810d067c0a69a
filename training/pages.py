"""Collected pages on disk: as received, compressed, one file a page, so that nothing is asked for twice."""

import gzip
import json
import shutil
import zlib
from collections.abc import Iterator
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


@dataclass(frozen=True)
class Collection:
    """One pass over RAWG's list: a folder of pages, and a record of what was asked for and whether all has come."""

    folder: Path
    source: str
    parameters: dict[str, str]
    started_at: datetime
    finished_at: datetime | None = None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Open a collection's folder; None where it is not one."""
        try:
            record = json.loads((folder / _RECORD).read_bytes())
            finished = record.pop("finished_at")
            return cls(
                folder=folder,
                started_at=datetime.fromisoformat(record.pop("started_at")),
                finished_at=finished and datetime.fromisoformat(finished),
                **record,
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self) -> None:
        """Write the record."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {name: value for name, value in asdict(self).items() if name != "folder"}
        write_atomically(self.folder / _RECORD, json.dumps(record, default=str, indent=2).encode())

    def numbers(self) -> list[int]:
        """List the numbers of the pages that are there."""
        return sorted(int(path.name.split(".")[0]) for path in self.folder.glob("[0-9]*.json.gz"))

    def write(self, number: int, page: Page) -> None:
        """Keep a page."""
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

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json.gz"


class CollectionFolder:
    """All collections, side by side."""

    def __init__(self, root: Path) -> None:
        """Use a folder, which need not exist yet."""
        self._root = root

    def unfinished(self, source: str, parameters: dict[str, str]) -> Collection | None:
        """Find an interrupted collection of the same list from the same place, the newest if there are several."""
        same = (found for found in self._all() if found.source == source and found.parameters == parameters)
        return max((found for found in same if not found.finished_at), key=_started, default=None)

    def start(self, source: str, parameters: dict[str, str]) -> Collection:
        """Begin a new collection; an interrupted one of the same list is given up for it."""
        while abandoned := self.unfinished(source, parameters):
            shutil.rmtree(abandoned.folder)
        now = utc_now()
        begun = Collection(self._root / f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}", source, parameters, now)
        begun.save()
        return begun

    def finish(self, collection: Collection) -> Collection:
        """Record that all pages are there."""
        finished = replace(collection, finished_at=utc_now())
        finished.save()
        return finished

    def keep_only(self, collection: Collection) -> None:
        """Remove the other finished collections, once this one has proved good."""
        for other in self._all():
            if other.finished_at and other.folder != collection.folder:
                shutil.rmtree(other.folder)

    def latest(self) -> Collection | None:
        """Find the newest finished collection."""
        return max((found for found in self._all() if found.finished_at), key=_started, default=None)

    def _all(self) -> list[Collection]:
        folders = self._root.iterdir() if self._root.is_dir() else []
        return [found for folder in folders if (found := Collection.read(folder))]


def _started(collection: Collection) -> datetime:
    return collection.started_at
