"""From what a player's games say to the best of the other games: the kernel of every answer."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.item_item import ItemItemModel, ScoreArray

Indices = npt.NDArray[np.integer]
Allowed = npt.NDArray[np.bool_]

_NONE: Indices = np.zeros(0, dtype=np.intp)
_ABOVE_ZERO = np.nextafter(0.0, 1.0)


class Voices(NamedTuple):
    """The games that speak, as indices, and how strongly each: arrays of one length."""

    games: Indices
    strengths: ScoreArray


class Question(NamedTuple):
    """Who may be an answer: not the `barred` (indices), and where there is a mask over all games, those `allowed`."""

    barred: Indices = _NONE
    allowed: Allowed | None = None


@dataclass(frozen=True)
class Ranking:
    """Some of the games in ranked order, as indices: scored ones, then others that fill up.

    `alike` marks the scored ones that follow from what games are like alone.
    """

    scored: list[int]
    scores: list[float]
    alike: list[bool]
    others: list[int]

    def __len__(self) -> int:
        """Count the games."""
        return len(self.scored) + len(self.others)


class _Pairs(NamedTuple):
    """A candidate and what one voice adds to it, for each neighbour of each voice.

    `lengths` counts the pairs of each voice: first all `by_plays`, then, if any, all by likeness.
    """

    candidates: Indices
    values: ScoreArray
    lengths: list[int]
    by_plays: int


class Best(NamedTuple):
    """The games with the highest scores above 0, in ranked order: indices, scores, and whether by likeness alone."""

    games: list[int]
    scores: list[float]
    alike: list[bool]

    def in_order(self, positions: Sequence[int]) -> "Best":
        """Take some games in another order."""
        return Best(
            [self.games[position] for position in positions],
            [self.scores[position] for position in positions],
            [self.alike[position] for position in positions],
        )


class _Scratch(threading.local):
    """Arrays of catalogue size, one set a thread; zero whenever nobody uses them, so that nobody has to clear them."""

    def __init__(self, games: int) -> None:
        self.scores = np.zeros(games, dtype=np.float64)
        self.marks = np.zeros(games, dtype=np.bool_)


class Ranker:
    """Ranks games by the sum of what others say for them, and fills up with popular ones.

    The cost of a ranking depends on how many neighbours the voices have, not on the catalogue.
    """

    def __init__(self, collaborative: ItemItemModel, cold: ItemItemModel, popular: Indices) -> None:
        """Use neighbours by plays, those by likeness where plays say nothing, and all games by popularity."""
        self._collaborative = collaborative
        self._cold = cold
        self._popular = popular
        self._loudest = _first_weights(cold)
        self._scratch = _Scratch(len(popular))

    def rank(self, voices: Voices, question: Question, n: int, offset: int = 0) -> Ranking:
        """Take `n` games from `offset` on: first those with a score above 0, the best first, equals by index.

        Then the most popular of the others, and last those that the voices speak against.
        """
        return self.page(self.best(voices, question, offset + n), voices, question, n, offset)

    def page(self, best: Best, voices: Voices, question: Question, n: int, offset: int = 0) -> Ranking:
        """Take a page of a ranking that begins with `best`: `offset + n` games, or all that have a score above 0."""
        scored = slice(offset, offset + n)
        missing = n - len(best.games[scored])
        others = self.fill(voices, question, best.games, missing, offset) if missing else []
        return Ranking(best.games[scored], best.scores[scored], best.alike[scored], others)

    def best(self, voices: Voices, question: Question, wanted: int) -> Best:
        """Find the games with the highest scores above 0, equals by index."""
        games, strengths = voices
        if not len(games):
            return Best([], [], [])
        # Of a game that speaks by plays, likeness speaks for games alone that no other speaks for by plays.
        by_likeness = np.dot(np.maximum(strengths, 0.0), self._loudest[games])
        if len(games) == 1 and (best := self._best_of_one(voices, question, wanted, by_likeness)):
            return best
        best = self._best_of(self._pairs(voices, all_likeness=False), question, wanted)
        if len(best.games) == wanted and best.scores[-1] > by_likeness:
            return best
        return self._best_of(self._pairs(voices, all_likeness=True), question, wanted)

    def fill(self, voices: Voices, question: Question, scored: list[int], n: int, offset: int) -> list[int]:
        """Take `n` games without a score above 0; `offset` counts from the first game of the whole ranking."""
        left_out = np.concatenate([question.barred, np.array(scored, dtype=np.intp)])
        offset = max(0, offset - len(scored))
        disliked = self._spoken_against(voices, question)
        if not disliked:
            return self.most_popular(left_out, n, offset, question.allowed)
        neutral = self.most_popular(np.concatenate([left_out, disliked]), offset + n, 0, question.allowed)
        return [*neutral, *disliked][offset : offset + n]

    def most_popular(self, left_out: Indices, n: int, offset: int = 0, allowed: Allowed | None = None) -> list[int]:
        """Take `n` of the most popular games but some, as indices."""
        marks = self._scratch.marks
        marks[left_out] = True
        # Of the games in front at most those left out drop away, so it is enough to look at so many more.
        enough = offset + n + len(left_out)
        ahead = self._popular[:enough] if allowed is None else self._popular[allowed[self._popular]][:enough]
        found: list[int] = ahead[~marks[ahead]][offset : offset + n].tolist()
        marks[left_out] = False
        return found

    def shares(self, voices: Voices, indices: Sequence[int]) -> dict[int, dict[int, float]]:
        """Tell for some games, given as indices, what each voice adds to their scores: game -> voice -> share."""
        if not len(voices.games):
            return {index: {} for index in indices}
        pairs = self._pairs(voices, all_likeness=True)
        speaking = np.repeat(np.concatenate([voices.games, voices.games]), pairs.lengths)
        wanted = np.isin(pairs.candidates, np.array(indices, dtype=np.intp)) & (pairs.values != 0)
        found: dict[int, dict[int, float]] = {index: {} for index in indices}
        columns = (pairs.candidates[wanted], speaking[wanted], pairs.values[wanted])
        for index, voice, share in zip(*(column.tolist() for column in columns), strict=True):
            found[index][voice] = found[index].get(voice, 0.0) + share
        return found

    def _pairs(self, voices: Voices, *, all_likeness: bool) -> _Pairs:
        """Lay out what every voice says; by likeness only where plays let it say nothing, unless all is wanted."""
        games, strengths = voices
        plays, likeness = self._collaborative, self._cold
        spans = _spans(plays, games)
        lengths = [stop - start for start, stop in spans]
        by_plays = sum(lengths)
        indices = [plays.indices[start:stop] for start, stop in spans]
        weights = [plays.weights[start:stop] for start, stop in spans]
        if all_likeness or 0 in lengths:
            more = [
                span if all_likeness or not length else (0, 0)
                for span, length in zip(_spans(likeness, games), lengths, strict=True)
            ]
            indices += [likeness.indices[start:stop] for start, stop in more]
            weights += [likeness.weights[start:stop] for start, stop in more]
            lengths += [stop - start for start, stop in more]
            strengths = np.concatenate([strengths, strengths])
        values = strengths.repeat(lengths)
        values *= np.concatenate(weights)
        return _Pairs(np.concatenate(indices, dtype=np.intp, casting="same_kind"), values, lengths, by_plays)

    def _totals(self, pairs: _Pairs, barred: Indices, read: Indices | Sequence[int]) -> ScoreArray:
        """Add up, and read some totals; a barred game has none."""
        scores = self._scratch.scores
        np.add.at(scores, pairs.candidates, pairs.values)
        scores[barred] = -np.inf
        totals: ScoreArray = scores[read]
        scores[pairs.candidates] = 0.0
        scores[barred] = 0.0
        return totals

    def _best_of_one(self, voices: Voices, question: Question, wanted: int, by_likeness: float) -> Best | None:
        """Read the best off the list of a single voice, which stands in ranked order; None where that is not enough.

        Most players have one game or few; this is many times faster than arrays are.
        """
        if question.allowed is not None:
            return None
        strength = float(voices.strengths[0])
        indices, weights = self._collaborative.neighbours(int(voices.games[0]))
        looked_at = wanted + len(question.barred) + 1
        barred = set(question.barred.tolist())
        scored = [
            (-strength * weight, index)
            for index, weight in zip(indices[:looked_at].tolist(), weights[:looked_at].tolist(), strict=True)
            if index not in barred
        ]
        # The one behind the last shows that no equal is cut off.
        if len(scored) <= wanted or -scored[wanted - 1][0] <= max(by_likeness, -scored[wanted][0], 0.0):
            return None
        best = sorted(scored[:wanted])
        return Best([index for _, index in best], [-score for score, _ in best], [False] * wanted)

    def _best_of(self, pairs: _Pairs, question: Question, wanted: int) -> Best:
        candidates = pairs.candidates
        totals = self._totals(pairs, question.barred, candidates)
        if question.allowed is not None:
            totals = np.where(question.allowed[candidates], totals, -np.inf)
        # A game stands there once for each list that names it, so the best of so many are `wanted` games or more.
        far = len(totals) - wanted * len(pairs.lengths)
        least = max(np.partition(totals, far)[far], _ABOVE_ZERO) if far > 0 else _ABOVE_ZERO
        top = (totals >= least).nonzero()[0]
        totals, candidates = totals[top], candidates[top]
        ranked = np.lexsort((candidates, -totals))
        totals, candidates = totals[ranked], candidates[ranked]
        if len(pairs.lengths) > 1:
            first = np.ones(len(ranked), dtype=np.bool_)
            np.not_equal(candidates[1:], candidates[:-1], out=first[1:])
            totals, candidates = totals[first], candidates[first]
        games = candidates[:wanted].tolist()
        return Best(games, totals[:wanted].tolist(), self._alike(pairs, games))

    def _alike(self, pairs: _Pairs, games: list[int]) -> list[bool]:
        """Mark the games that no voice speaks for by plays."""
        if pairs.by_plays == len(pairs.candidates) or not games:
            return [False] * len(games)
        named = pairs.candidates[: pairs.by_plays][pairs.values[: pairs.by_plays] > 0]
        marks = self._scratch.marks
        marks[named] = True
        named_by_plays = marks[games].tolist()
        marks[named] = False
        return [not named for named in named_by_plays]

    def _spoken_against(self, voices: Voices, question: Question) -> list[int]:
        """Find the games with a score below 0, the least disliked first."""
        if not (voices.strengths < 0).any():
            return []
        pairs = self._pairs(voices, all_likeness=True)
        candidates = np.unique(pairs.candidates)
        totals = self._totals(pairs, question.barred, candidates)
        disliked = (totals < 0) & (totals > -np.inf)
        if question.allowed is not None:
            disliked &= question.allowed[candidates]
        found = zip(candidates[disliked].tolist(), totals[disliked].tolist(), strict=True)
        return [index for index, _ in sorted(found, key=_best_first)]


def _best_first(found: tuple[int, float]) -> tuple[float, int]:
    return -found[1], found[0]


def _spans(model: ItemItemModel, games: Indices) -> list[tuple[int, int]]:
    return list(zip(model.indptr[games].tolist(), model.indptr[games + 1].tolist(), strict=True))


def _first_weights(model: ItemItemModel) -> npt.NDArray[np.float32]:
    """Read the strongest weight of each list, 0 of an empty one."""
    first = np.zeros(len(model), dtype=np.float32)
    filled = np.diff(model.indptr) > 0
    first[filled] = model.weights[model.indptr[:-1][filled]]
    return first
