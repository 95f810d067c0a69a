"""Answers as bytes: what games are lies ready as JSON in the artifact, so an answer is put together, not encoded."""

import os
import time
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

import orjson

from app.core.answer import Query, Reason, Recommendations, Source, Warned
from app.core.catalogue import rawg_url
from app.live_model import LoadedModel
from app.remembered import Plain

# What stands between the rank and the reasons.
_SOURCES = {source: f',"source":"{source}","reasons":'.encode() for source in Source}

_MOST_TAILS = 100
# What stands behind the score of a game without reasons, by the source and the place in the answer.
_TAILS = {
    source: [b',"rank":%d%b[]},' % (rank, middle) for rank in range(1, _MOST_TAILS + 1)]
    for source, middle in _SOURCES.items()
}


class Wishes(NamedTuple):
    """What is asked for, and the facts to tell of each game where they are not the usual ones."""

    question: Query = Query()
    fields: tuple[str, ...] = ()


def new_id() -> str:
    """Name an answer, in hex: 48 bits of time (milliseconds since 1970), so that ids stand in order, 80 of chance."""
    return f"{int(time.time() * 1000):012x}{os.urandom(10).hex()}"


def render(
    answer: Recommendations,
    recommendation_id: str,
    user_id: str | None,
    model: LoadedModel,
    fields: tuple[str, ...] = (),
) -> bytes:
    """Write a `RecommendationList` as JSON."""
    cards = [_with(fields, game_id, model) for game_id in answer.game_ids] if fields else answer.cards
    scores = [repr(score).encode() for score in answer.scores]
    head = _head(recommendation_id, user_id, model, answer.sources, answer.warnings)
    if not answer.reasons and answer.rank == 1 and len(cards) <= _MOST_TAILS:
        return _put_together(head, cards, scores, answer.sources)
    reasons = map(_reasons, answer.reasons, answer.scores) if answer.reasons else repeat(b"[]")
    ranks = range(answer.rank, answer.rank + len(cards))
    tails = [
        b',"rank":%d%b%b},' % (rank, _SOURCES[source], why)
        for rank, source, why in zip(ranks, answer.sources, reasons, strict=False)
    ]
    return _joined(head, cards, scores, tails)


def render_plain(answer: Plain, recommendation_id: str, user_id: str, model: LoadedModel) -> bytes:
    """Write a `RecommendationList` as JSON, of an answer without reasons that begins with the first game."""
    head = _head(recommendation_id, user_id, model, answer.sources, answer.warnings)
    return _put_together(head, answer.cards, answer.scores, answer.sources)


def _head(
    recommendation_id: str,
    user_id: str | None,
    model: LoadedModel,
    sources: Sequence[Source],
    warnings: tuple[Warned, ...],
) -> list[bytes]:
    return [
        b'{"recommendation_id":"',
        recommendation_id.encode(),
        b'","user_id":',
        orjson.dumps(user_id),
        model.rendered,
        _mixed(sources),
        b'","warnings":',
        orjson.dumps([warned._asdict() for warned in warnings]) if warnings else b"[]",
        b',"games":[',
    ]


def _put_together(head: list[bytes], cards: list[bytes], scores: list[bytes], sources: Sequence[Source]) -> bytes:
    return _joined(head, cards, scores, [_TAILS[source][rank] for rank, source in enumerate(sources)])


def _joined(parts: list[bytes], cards: list[bytes], scores: list[bytes], tails: list[bytes]) -> bytes:
    for card, score, tail in zip(cards, scores, tails, strict=True):
        parts += card, b',"score":', score, tail
    if tails:
        parts[-1] = tails[-1][:-1]  # no comma behind the last game
    parts.append(b"]}")
    return b"".join(parts)


def _mixed(sources: Sequence[Source]) -> bytes:
    """Name the source of a whole answer."""
    if not sources:
        return b"none"
    return sources[0].encode() if sources.count(sources[0]) == len(sources) else b"mixed"


def _with(fields: tuple[str, ...], game_id: int, model: LoadedModel) -> bytes:
    game = model.recommender.game(game_id)
    facts: dict[str, object] = {**game, "rawg_url": rawg_url(game["slug"])}
    return orjson.dumps({name: facts[name] for name in dict.fromkeys(("game_id", *fields))})[:-1]


def _reasons(reasons: tuple[Reason, ...], score: float) -> bytes:
    return orjson.dumps([{**reason._asdict(), "fraction": reason.share / score} for reason in reasons])
