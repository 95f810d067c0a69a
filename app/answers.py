"""Answers as bytes: what games are lies ready as JSON in the artifact, so an answer is put together, not encoded."""

import os
import time
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

import orjson

from app.core.answer import Query, Reason, Recommendations, Source
from app.core.catalogue import rawg_url
from app.live_model import LoadedModel

# What stands between the rank and the reasons.
_SOURCES = {source: f',"source":"{source}","reasons":'.encode() for source in Source}


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
    sources = answer.sources
    parts = [
        b'{"recommendation_id":"',
        recommendation_id.encode(),
        b'","user_id":',
        orjson.dumps(user_id),
        model.rendered,
        _mixed(sources),
        b'","warnings":',
        orjson.dumps([warned._asdict() for warned in answer.warnings]) if answer.warnings else b"[]",
        b',"games":[',
    ]
    cards = [_with(fields, game_id, model) for game_id in answer.game_ids] if fields else answer.cards
    reasons = map(_reasons, answer.reasons, answer.scores) if answer.reasons else repeat(b"[]")
    rank = answer.rank
    for card, score, source, why in zip(cards, answer.scores, sources, reasons, strict=False):
        parts += card, b',"score":', repr(score).encode(), b',"rank":', b"%d" % rank, _SOURCES[source], why, b"},"
        rank += 1
    parts[-1] = b"}]}" if sources else b',"games":[]}'
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
