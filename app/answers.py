"""Answers as bytes: what games are lies ready as JSON in the artifact, so an answer is put together, not encoded."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from app.core.answer import Query, Recommendations, Scored, Source
from app.core.catalogue import rawg_url
from app.live_model import LoadedModel

_SOURCES = {source: source.value.encode() for source in Source}


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
    if fields:
        answer = answer._replace(games=tuple(_with(fields, scored, model) for scored in answer.games))
    games = answer.games
    return b"".join(
        (
            b'{"recommendation_id":"',
            recommendation_id.encode(),
            b'","user_id":',
            orjson.dumps(user_id),
            model.rendered,
            _source(games),
            b'","warnings":',
            orjson.dumps([warned._asdict() for warned in answer.warnings]) if answer.warnings else b"[]",
            b',"games":[',
            b",".join([_render_game(scored) for scored in games]),
            b"]}",
        )
    )


def _source(games: Sequence[Scored]) -> bytes:
    if not games:
        return b"none"
    return _SOURCES[games[0].source] if len({scored.source for scored in games}) == 1 else b"mixed"


def _with(fields: tuple[str, ...], scored: Scored, model: LoadedModel) -> Scored:
    game = model.recommender.game(scored.game_id)
    facts: dict[str, object] = {**game, "rawg_url": rawg_url(game["slug"])}
    return scored._replace(card=orjson.dumps({name: facts[name] for name in dict.fromkeys(("game_id", *fields))})[:-1])


def _render_game(scored: Scored) -> bytes:
    return b'%b,"score":%b,"rank":%d,"source":"%b","reasons":%b}' % (
        scored.card,
        repr(scored.score).encode(),
        scored.rank,
        _SOURCES[scored.source],
        _render_reasons(scored) if scored.reasons else b"[]",
    )


def _render_reasons(scored: Scored) -> bytes:
    return orjson.dumps(
        [{**reason._asdict(), "fraction": reason.share / scored.score} for reason in scored.reasons],
    )
