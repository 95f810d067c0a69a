"""Why a player is recommended a game, or is not."""

from collections.abc import Iterator
from typing import NamedTuple

from app.core.answer import Query, Reason, Source
from app.core.catalogue import Game
from app.core.ranking import Question
from app.core.recommender import Recommender
from app.core.tastes import Bar, Taste

_BARRED = {
    Bar.KNOWN: ("played", "The player has played, rated or liked it."),
    Bar.VETO: ("vetoed", "The player dislikes it or has hidden it, or whoever runs the service has."),
}
_NO_LINK = "Nothing that the player has speaks for it; it can only fill up, as a popular game."
_NOBODY_KNOWN = "Nothing is known of this player, who gets popular games."


class Obstacle(NamedTuple):
    """What keeps a game out of the ranking: a stable code and a sentence."""

    code: str
    message: str


class Why(NamedTuple):
    """A game's score for a player, whence it comes, and its place in the ranking, or what keeps it out.

    The shares of the reasons add up to the score, whatever else keeps the game out.
    """

    game: Game
    score: float
    rank: int | None
    source: Source
    reasons: tuple[Reason, ...]
    kept_out_by: tuple[Obstacle, ...]


def why(recommender: Recommender, taste: Taste, game_id: int, query: Query) -> Why:
    """Account for one game; raises `GameNotFoundError`. A game without a score above 0 has no rank of its own."""
    game = recommender.game(game_id)
    index = recommender.catalogue.index_of(game_id) or 0
    voices, question = recommender.translate(taste, query)
    reasons = recommender.reasons(voices, [index])[index]
    anything = recommender.ranker.best(voices, Question(), len(recommender.catalogue))
    by_likeness = dict(zip(anything.games, anything.alike, strict=True)).get(index)
    obstacles = tuple(_obstacles(recommender, taste, index, query))
    if by_likeness is None:
        obstacles += (Obstacle("no_link", _NO_LINK if taste.known else _NOBODY_KNOWN),)
    ranked = [] if obstacles else recommender.ranker.best(voices, question, len(recommender.catalogue)).games
    return Why(
        game=game,
        score=sum(reason.share for reason in reasons),
        rank=ranked.index(index) + 1 if ranked else None,
        source={None: Source.POPULARITY, True: Source.CONTENT, False: Source.COLLABORATIVE}[by_likeness],
        reasons=reasons,
        kept_out_by=obstacles,
    )


def _obstacles(recommender: Recommender, taste: Taste, index: int, query: Query) -> Iterator[Obstacle]:
    game_id = int(recommender.catalogue.game_ids[index])
    bar = dict(zip(taste.game_ids, taste.bars, strict=True)).get(game_id, Bar.NONE)
    if bar == Bar.VETO or (bar == Bar.KNOWN and not query.include_played):
        yield Obstacle(*_BARRED[Bar(bar)])
    if game_id in query.exclude:
        yield Obstacle("excluded", "The request excludes it.")
    for parameter in recommender.facets.failing(index, query.filters):
        yield Obstacle(parameter, f"It does not pass the filter `{parameter}`, or is not known to.")
