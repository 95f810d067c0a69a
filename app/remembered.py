"""Answers worked out a moment ago, for players whose history is still the same when it is read again."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

import orjson

from app.core.answer import Query, Recommendations, Source, Warned
from app.core.tastes import Row, Taste

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.histories import PlayWeights
    from app.core.recommender import Recommender

MOST_GAMES = 20  # of an answer
_BYTES_EACH = 512  # of history, on average: where they are longer, fewer are kept


class Plain(NamedTuple):
    """An answer without reasons, from the first game on, as columns: cards and scores are JSON."""

    cards: list[bytes]
    scores: list[bytes]
    sources: Sequence[Source]
    warnings: tuple[Warned, ...]


class _Kept(NamedTuple):
    """An answer as small as it gets, and the rows that it followed from; the games are those of `game_ids`."""

    rows: bytes
    n: int
    game_ids: array[int]
    scores: bytes
    sources: tuple[Source, ...]
    warnings: tuple[Warned, ...]


class RememberedAnswers:
    """Recommends from the rows of a player; what follows from the same rows as the last time is not worked out again.

    Nothing is answered from memory alone: the rows come from the database each time, and are compared.
    """

    def __init__(self, recommender: Recommender, weights: PlayWeights, most: int) -> None:
        """Recommend by one model, weigh plays as it was trained, and keep `most` answers, about 1 kB each."""
        self._recommender = recommender
        self._weights = weights
        self._most = most
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0

    def recommend(self, user_id: str, rows: Sequence[Row], n: int) -> Plain:
        """Recommend `n` games, at most 100, to a player who has these rows."""
        written = orjson.dumps(rows)
        kept = self._kept.get(user_id)
        if kept is not None and kept.n == n and kept.rows == written:
            cards = self._recommender.cards(kept.game_ids)
            return Plain(cards, kept.scores.split(b",") if kept.scores else [], kept.sources, kept.warnings)
        answer = self._recommender.recommend(Taste.of(rows, self._weights), Query(n))
        scores = [repr(score).encode() for score in answer.scores]
        if n <= MOST_GAMES:
            self._keep(user_id, _compact(written, n, answer, scores))
        return Plain(answer.cards, scores, answer.sources, answer.warnings)

    def _keep(self, user_id: str, kept: _Kept) -> None:
        if before := self._kept.pop(user_id, None):
            self._bytes -= len(before.rows)
        self._kept[user_id] = kept
        self._bytes += len(kept.rows)
        while len(self._kept) > self._most or self._bytes > self._most * _BYTES_EACH:
            self._bytes -= len(self._kept.pop(next(iter(self._kept))).rows)


def _compact(rows: bytes, n: int, answer: Recommendations, scores: list[bytes]) -> _Kept:
    # A copy: the encoder's own bytes lie at the front of a kilobyte, which they would keep from other use.
    own_rows = bytes(memoryview(rows))
    return _Kept(own_rows, n, array("q", answer.game_ids), b",".join(scores), tuple(answer.sources), answer.warnings)
