"""What came of an import, in a bounded memory."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from app.core.importing.reading import Read
from app.core.interactions import Kind

MAX_KEPT = 10_000  # rows set aside, and titles not found, that are listed; the others are counted
_FEWEST_TO_SORT = 100_000


class Distinct:
    """Counts distinct 64-bit numbers at 8 bytes each, where a set takes ten times that."""

    def __init__(self) -> None:
        self._sorted = np.zeros(0, dtype=np.int64)
        self._new = array("q")

    def add(self, numbers: Iterable[int]) -> None:
        """Take numbers that may or may not have come before."""
        self._new.extend(numbers)
        if len(self._new) > max(_FEWEST_TO_SORT, len(self._sorted)):
            self._merge()

    def __len__(self) -> int:
        """Count the different ones."""
        self._merge()
        return len(self._sorted)

    def _merge(self) -> None:
        self._sorted = np.unique(np.concatenate([self._sorted, np.array(self._new, dtype=np.int64)]))
        self._new = array("q")


@dataclass
class ImportSummary:
    """What came of an import: the whole file's rows, also where another import had written a part of it before.

    `rows` are valid; `went_on_at` is how many rows an interrupted import had been through, and `written` counts the
    interactions that this one stored. `set_aside` lists line and reason, and `unmatched` counts the rows of titles that
    the catalogue does not have; both no more than `MAX_KEPT`.
    """

    rows: int = 0
    players: Distinct = field(default_factory=Distinct)
    games: Distinct = field(default_factory=Distinct)
    set_aside_rows: int = 0
    set_aside: list[tuple[int, str]] = field(default_factory=list)
    unmatched_rows: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)
    went_on_at: int = 0
    written: Counter[Kind] = field(default_factory=Counter)

    def add(self, read: list[Read]) -> None:
        """Count some rows."""
        written = [one for row in read for one in row.interactions[:1]]
        # Python's own hash of a text has 64 bits: among a million players two are one with a chance of 1 in 30 million.
        self.players.add({hash(one.user_id) for one in written})
        self.games.add({one.game_id for one in written})
        for row in read:
            if row.reason is not None:
                self._set_aside(row.line, row.reason)
            elif row.title is not None:
                self._unmatched(row.title)
            else:
                self.rows += 1

    def _set_aside(self, line: int, reason: str) -> None:
        self.set_aside_rows += 1
        if len(self.set_aside) < MAX_KEPT:
            self.set_aside.append((line, reason))

    def _unmatched(self, title: str) -> None:
        self.unmatched_rows += 1
        if title in self.unmatched or len(self.unmatched) < MAX_KEPT:
            self.unmatched[title] += 1

    def to_dict(self, most: int = MAX_KEPT) -> dict[str, object]:
        """Write the summary for machines, with up to `most` rows set aside and titles, the most frequent first."""
        return {
            "rows": self.rows,
            "players": len(self.players),
            "games": len(self.games),
            "went_on_at": self.went_on_at,
            "set_aside_rows": self.set_aside_rows,
            "set_aside": [{"line": line, "reason": reason} for line, reason in self.set_aside[:most]],
            "unmatched_rows": self.unmatched_rows,
            "unmatched": [{"title": title, "rows": rows} for title, rows in self.unmatched.most_common(most)],
        }
