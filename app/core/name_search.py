"""Games by name, in spite of typos."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from app.core.artifact import Arrays
from app.core.catalogue import Catalogue, IntArray, fold
from app.core.labels import Mask
from app.core.orders import Order, Orders, Sort
from app.core.postings import Postings

_TRIGRAM = 3
_MOST_CANDIDATES = 400
_MOST_POSTINGS = 200_000  # of the query's trigrams that are looked at, the rarest first
_BITS = 21  # of a code point
_FEW_LETTERS, _MANY_LETTERS = 3, 6


def _typos_allowed(word: str) -> int:
    """Allow one typo in three letters and two in six; numbers must be right, for they tell sequels apart."""
    if len(word) < _FEW_LETTERS or any(map(str.isdigit, word)):
        return 0
    return 1 if len(word) < _MANY_LETTERS else 2


@dataclass(frozen=True, eq=False)
class NameIndex:
    """The folded names of a catalogue, by the trigrams of their words.

    A word has two spaces before and behind it, so that a trigram begins at each of its letters, and its beginning and
    end count as well. `keys` (int64, ascending) holds each trigram as one number, and row i of `games` the games whose
    name has the trigram `keys[i]`; `most_added` (int32) lists all games, the most-added first.
    """

    catalogue: Catalogue
    keys: IntArray
    games: Postings
    most_added: Order

    @classmethod
    def of(cls, catalogue: Catalogue, orders: Orders) -> Self:
        """Index the names of a catalogue."""
        trigrams, owners = _trigrams(catalogue.names.blob.tobytes().decode())
        order = np.lexsort((owners, trigrams))
        trigrams, owners = trigrams[order], owners[order]
        new = np.ones(len(trigrams), dtype=bool)
        new[1:] = (np.diff(trigrams) != 0) | (np.diff(owners) != 0)
        keys, counts = np.unique(trigrams[new], return_counts=True)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(catalogue, keys, Postings(indptr, owners[new].astype(np.int32)), orders.by[Sort.ADDED])

    def to_arrays(self) -> Arrays:
        """Name the arrays as an artifact keeps them."""
        return {
            "trigram_keys": self.keys,
            "trigram_indptr": self.games.indptr,
            "trigram_indices": self.games.indices,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, catalogue: Catalogue, orders: Orders) -> Self:
        """Read the index from an artifact's arrays, where they are."""
        a: Mapping[str, Any] = arrays
        games = Postings(a["trigram_indptr"], a["trigram_indices"])
        return cls(catalogue, a["trigram_keys"], games, orders.by[Sort.ADDED])

    def search(self, text: str) -> IntArray:
        """Find games by name: those that hold every word of `text`, and behind them those that do but for typos.

        Returns their indices. What is found to the letter: the name itself first, then names that begin with the text,
        then the others. What is not: the fewer typos the earlier. Among equals the most-added first; all games where
        the text holds no word.
        """
        wanted = fold(text)
        if not wanted:
            return self.most_added.astype(np.int64)
        holding = self._holding(wanted.split())
        exact = self._closest_first(wanted, self.most_added[holding[self.most_added]].astype(np.int64))
        candidates = self._candidates(wanted)
        candidates = candidates[~holding[candidates]]
        typos, close = self._typos(wanted, candidates)
        candidates, typos = candidates[close], typos[close]
        order = np.lexsort((candidates, -self.catalogue.added[candidates], typos))
        return np.concatenate([exact, candidates[order]])

    def _holding(self, words: list[str]) -> Mask:
        """Mark the names that hold every word."""
        mask = np.ones(len(self.catalogue), dtype=bool)
        for word in words:
            possible = np.zeros(len(mask), dtype=bool)
            possible[self._possible(word)] = True
            mask &= possible
        for word in (word for word in words if len(word) > _TRIGRAM):
            found = np.flatnonzero(mask)
            mask[found] = self._hold(found, word.encode())
        return mask

    def _possible(self, word: str) -> npt.NDArray[np.int32]:
        """List the games, maybe repeated, whose names hold a word of up to three letters, or part of a longer one."""
        if len(word) < _TRIGRAM:
            first, last = (_number_of(word.ljust(_TRIGRAM, chr(filler))) for filler in (0, sys.maxunicode))
            start, stop = np.searchsorted(self.keys, (first, last + 1))
            return self.games.indices[self.games.indptr[start] : self.games.indptr[stop]]
        parts = [word[start : start + _TRIGRAM] for start in range(len(word) - _TRIGRAM + 1)]
        return min((self._with(_number_of(part)) for part in parts), key=len)

    def _with(self, trigram: int) -> npt.NDArray[np.int32]:
        row = int(np.searchsorted(self.keys, trigram))
        return self.games.row(row) if row < len(self.keys) and self.keys[row] == trigram else self.games.indices[:0]

    def _hold(self, games: IntArray, word: bytes) -> Mask:
        """Tell which of some names hold a word."""
        names = self.catalogue.names
        lengths = names.offsets[games + 1] - names.offsets[games]
        ends = np.cumsum(lengths)
        text = names.blob[np.arange(lengths.sum()) + np.repeat(names.offsets[games] - (ends - lengths), lengths)]
        # A name ends with a line end, which no word has: a match cannot leave its name.
        places = np.flatnonzero(text == word[0])
        for further, letter in enumerate(word[1:], start=1):
            places = places[text[places + further] == letter]
        mask = np.zeros(len(games), dtype=bool)
        mask[np.searchsorted(ends, places, side="right")] = True
        return mask

    def _closest_first(self, wanted: str, found: IntArray) -> IntArray:
        """Put the name itself first, then names that begin with the text, and leave the order else as it is."""
        names, text = self.catalogue.names, np.frombuffer(wanted.encode(), dtype=np.uint8)
        lengths = names.offsets[found + 1] - names.offsets[found] - len(b"\n")
        beginning = np.flatnonzero(lengths >= len(text))
        for further, letter in enumerate(text):
            beginning = beginning[names.blob[names.offsets[found[beginning]] + further] == letter]
        rank = np.full(len(found), 2, dtype=np.int8)
        rank[beginning] = lengths[beginning] > len(text)
        return found[np.argsort(rank, kind="stable")]

    def _candidates(self, wanted: str) -> IntArray:
        """Find the games whose names share most with a text; a trigram counts the more the rarer it is (log N/n)."""
        trigrams, _ = _trigrams(f"{wanted} {wanted.replace(' ', '')}\n")
        keys = np.flatnonzero(np.isin(self.keys, trigrams))
        lengths = self.games.lengths()[keys]
        order = np.argsort(lengths, kind="stable")
        rare = order[np.cumsum(lengths[order]) <= _MOST_POSTINGS]
        if not len(rare):
            return np.zeros(0, dtype=np.int64)
        rows = [self.games.row(key) for key in keys[rare].tolist()]
        weights = np.repeat(np.log1p(len(self.catalogue) / lengths[rare]), lengths[rare])
        shared = np.bincount(np.concatenate(rows), weights=weights)
        found = np.flatnonzero(shared)
        best = np.lexsort((found, -self.catalogue.added[found], -shared[found]))
        return found[best[:_MOST_CANDIDATES]]

    def _typos(self, wanted: str, candidates: IntArray) -> tuple[IntArray, Mask]:
        """Count the typos that make each name hold every word, and tell whether they are few enough.

        A typo is a letter too much, too few or wrong, or two that changed places (optimal string alignment). Spaces
        that are missing or too many are none.
        """
        words, joined = wanted.split(), wanted.replace(" ", "")
        names = [self.catalogue.names[index].decode() for index in candidates.tolist()]
        typos = np.zeros(len(names), dtype=np.int64)
        close = np.ones(len(names), dtype=bool)
        for word, fewest in zip(words, _fewest_edits(words, names), strict=True):
            edits = np.where([word in name for name in names], 0, fewest)
            typos += edits
            close &= edits <= _typos_allowed(word)
        same = np.array([joined in "".join(name.split()) for name in names], dtype=bool)
        return np.where(same, 0, typos), close | same


def _fewest_edits(words: list[str], names: list[str]) -> npt.NDArray[np.int64]:
    """Count how many edits each word (a row) is from the nearest word of each name (a column)."""
    spoken = [name.split() for name in names]
    vocabulary = sorted({word for name in spoken for word in name})
    if not vocabulary:
        return np.zeros((len(words), len(names)), dtype=np.int64)
    place = {word: position for position, word in enumerate(vocabulary)}
    distances = cdist(words, vocabulary, scorer=OSA.distance, dtype=np.int32)
    flat = [place[word] for name in spoken for word in name]
    starts = [0, *accumulate(map(len, spoken))][:-1]
    return np.minimum.reduceat(distances[:, flat], starts, axis=1).astype(np.int64)


def _number_of(trigram: str) -> int:
    first, second, third = map(ord, trigram)
    return (first << 2 * _BITS) | (second << _BITS) | third


def _trigrams(names: str) -> tuple[IntArray, IntArray]:
    """Take all trigrams of names that each end with a line end: one number each, and the place of the name it is in."""
    text = "  " + names.replace(" ", "  ").replace("\n", "\n  ")
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    ends = codes == ord("\n")
    owners = np.cumsum(ends) - ends
    codes[ends] = ord(" ")
    numbers = (codes[:-2] << 2 * _BITS) | (codes[1:-1] << _BITS) | codes[2:]
    kept = numbers != _number_of("   ")  # which stands between two names
    return numbers[kept], owners[:-2][kept]
