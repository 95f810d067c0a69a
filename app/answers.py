"""Answers as bytes: what games are lies ready as JSON in the artifact, so an answer is put together, not encoded."""

import os
import time
from collections.abc import Sequence

import orjson

from app.core.answer import Recommendations, Scored, Source, Warned
from app.live_model import LoadedModel

_NO_WARNINGS = b"[]"
_SOURCES = {source: source.value.encode() for source in Source}


def new_id() -> str:
    """Name an answer, in hex: 48 bits of time (milliseconds since 1970), so that ids stand in order, 80 of chance."""
    return f"{int(time.time() * 1000):012x}{os.urandom(10).hex()}"


def render(answer: Recommendations, recommendation_id: str, user_id: str, model: LoadedModel) -> bytes:
    """Write a `RecommendationList` as JSON."""
    games = answer.games
    first = games[0].source if games else None
    source = b"none" if first is None else _SOURCES[first]
    if any(scored.source is not first for scored in games):
        source = b"mixed"
    return b"".join(
        (
            b'{"recommendation_id":"',
            recommendation_id.encode(),
            b'","user_id":',
            orjson.dumps(user_id),
            model.rendered,
            source,
            b'","warnings":',
            render_warnings(answer.warnings) if answer.warnings else _NO_WARNINGS,
            b',"games":[',
            b",".join([render_game(scored) for scored in games]),
            b"]}",
        )
    )


def render_game(scored: Scored) -> bytes:
    """Write a `ScoredGame` as JSON."""
    return b'%b,"score":%b,"rank":%d,"source":"%b","reasons":%b}' % (
        scored.card,
        repr(scored.score).encode(),
        scored.rank,
        _SOURCES[scored.source],
        _render_reasons(scored) if scored.reasons else b"[]",
    )


def render_warnings(warnings: Sequence[Warned]) -> bytes:
    """Write each `AnswerWarning` as JSON."""
    return orjson.dumps([warned._asdict() for warned in warnings])


def _render_reasons(scored: Scored) -> bytes:
    return orjson.dumps(
        [{**reason._asdict(), "fraction": reason.share / scored.score} for reason in scored.reasons],
    )
