"""A kept collection and what was updated since, merged: the newer record of each game, and the most-added games."""

import heapq
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, Self, TypeAlias

from training.pages import Pages
from training.rawg import PAGE_SIZE, Page
from training.records import added, flatten, is_valid

# Kept beyond the games asked for, so that a record that goes bad does not leave one too few.
SPARE = PAGE_SIZE

Identity: TypeAlias = int | str


class Entry(NamedTuple):
    """Where among all records of the pages that of a game stands, by how many it was added, and whether it is valid."""

    place: int
    added: int
    valid: bool


class Index(dict[Identity, Entry]):
    """The records of pages by their games: of several of one game the last, or the last valid one if there is one."""

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Self:
        """Read all pages; `CollectionError` where one cannot be read."""
        index = cls()
        for place, (reckoned, record) in enumerate(_in_order(pages)):
            name, valid = _identity(record), is_valid(flatten(record))
            if valid or name not in index or not index[name].valid:
                index[name] = Entry(place, reckoned, valid)
        return index

    def most_added(self, games: int) -> set[Identity]:
        """Choose that many valid games, the most-added ones."""
        valid = (name for name, entry in self.items() if entry.valid)
        return set(heapq.nlargest(games, valid, key=lambda name: self[name].added))

    def cut_off(self, games: int) -> int:
        """Tell how many must have added a game for it to be among the most-added `games`; 0 where fewer are known."""
        counts = heapq.nlargest(games, (entry.added for entry in self.values() if entry.valid))
        return counts[-1] if len(counts) == games else 0


class Merge:
    """The pages of a collection and those of what was updated since, as the pages of one collection.

    The newer record of a game takes the place of the older one, be it valid or not, as it would in a pass over the
    whole list; of valid games the most-added `games` are kept, and a few to spare. Bad records stay among them, for
    the validation to name. At most two pages are in memory at a time.
    """

    def __init__(self, old: Pages, known: Index, new: Pages, games: int) -> None:
        """Take the pages, and the index of the old ones."""
        self._old, self._known = old, known
        self._new, self._updated = new, Index.of(new.pages())
        newest = Index({**known, **self._updated})
        self._kept = newest.most_added(games + SPARE)
        wanted = newest.most_added(games)
        coming = {name for name, entry in self._updated.items() if entry.valid and name in wanted}
        self.updated = len(coming)
        self.new = sum(name not in known or not known[name].valid for name in coming)

    def pages(self) -> Iterator[Page]:
        """Write the merged pages, most-added first."""
        merged = self._records()
        while records := list(islice(merged, PAGE_SIZE)):
            # json, not orjson: it writes whatever it has read, half a surrogate pair, huge numbers and NaN as well.
            yield Page(json.dumps({"results": records}).encode(), records, has_next=False)

    def _records(self) -> Iterator[object]:
        old = _chosen(self._old, {name: entry for name, entry in self._known.items() if name not in self._updated})
        new = _chosen(self._new, self._updated)
        missing = set(self._kept)
        for _, name, record, valid in heapq.merge(old, new, key=lambda found: -found[0]):
            if not missing:
                return
            if not valid or name in missing:
                missing.discard(name)
                yield record


def _chosen(pages: Pages, index: dict[Identity, Entry]) -> Iterator[tuple[int, Identity, object, bool]]:
    """Read the records that an index points at."""
    for place, (reckoned, record) in enumerate(_in_order(pages.pages())):
        name = _identity(record)
        entry = index.get(name)
        if entry and entry.place == place:
            yield reckoned, name, record, entry.valid


def _in_order(pages: Iterable[Page]) -> Iterator[tuple[int, object]]:
    """Read all records with the count that RAWG orders them by; where it is not told, that of the one before."""
    reckoned = 0
    for page in pages:
        for record in page.games:
            told = added(record)
            reckoned = reckoned if told is None else told
            yield reckoned, record


def _identity(record: object) -> Identity:
    """Name a record by the id of its game, or, where it has none, by all it holds."""
    game_id = record.get("id") if isinstance(record, dict) else None
    return game_id if type(game_id) is int else json.dumps(record, sort_keys=True)
