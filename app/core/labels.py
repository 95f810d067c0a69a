"""Genres, platforms, tags: names, and the games that each of them is on."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from app.core.catalogue import fold
from app.core.packed import PackedStrings
from app.core.postings import Postings

Mask = npt.NDArray[np.bool_]


def _key(name: str) -> str:
    """Reduce a label to what is compared; one without a letter or digit is compared as it is."""
    return fold(name) or name


@dataclass(frozen=True, eq=False)
class Labels:
    """All labels of one sort, in the order of their folded names, and the games (indices) of each."""

    names: PackedStrings
    games: Postings

    @classmethod
    def of(cls, labels: Iterable[Sequence[str]]) -> Self:
        """Turn the labels of each game, in the order of the indices, into the games of each label."""
        games: dict[str, list[int]] = {}
        for index, names in enumerate(labels):
            for name in set(names):
                games.setdefault(name, []).append(index)
        ordered = sorted(games, key=lambda name: (_key(name), name))
        return cls(PackedStrings.pack(map(str.encode, ordered)), Postings.of([games[name] for name in ordered]))

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.names)

    def name(self, position: int) -> str:
        """Read the label at a position."""
        return self.names[position].decode()

    def most_common(self, n: int, offset: int = 0) -> list[tuple[str, int]]:
        """Take `n` labels and how many games have each, the most common first; among equals by name."""
        counts = self.games.lengths()
        page = np.argsort(-counts, kind="stable")[offset : offset + n].tolist()
        return [(self.name(label), int(counts[label])) for label in page]

    def find(self, name: str) -> range:
        """Find the positions of the labels that are called so, whatever their case, accents and punctuation."""
        wanted, everything = _key(name), range(len(self))
        first = bisect_left(everything, wanted, key=lambda position: _key(self.name(position)))
        last = first
        while last < len(self) and _key(self.name(last)) == wanted:
            last += 1
        return everything[first:last]

    def mask(self, names: Iterable[str], span: range) -> Mask:
        """Mark the games of a span of indices that have any of these labels."""
        found = np.zeros(len(span), dtype=bool)
        for label in (label for name in names for label in self.find(name)):
            games = self.games.row(label)
            first, last = np.searchsorted(games, (span.start, span.stop))
            found[games[first:last] - span.start] = True
        return found
