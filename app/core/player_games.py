"""The games that a player has to do with, and what each of them is to the player."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from app.core.histories import PlayWeights
from app.core.interactions import Kind, meant_by
from app.core.tastes import Bar, Row, Taste

_game_id = itemgetter(0)


@dataclass(frozen=True, slots=True)
class PlayerGame:
    """One game of a player: what the player did with it, the hours, the stars (0 to 5), and when it was last.

    `weight` says how strongly it counts, `kept` whether all this is in the database, or known by the model alone; `at`
    is in seconds since 1970.
    """

    game_id: int
    kinds: tuple[Kind, ...]
    weight: float
    hours: float | None = None
    rating: float | None = None
    at: float | None = None
    kept: bool = True


def player_games(rows: Sequence[Row], trained_on: Taste, weights: PlayWeights) -> list[PlayerGame]:
    """List a player's games but for those that an operator has hidden, the latest first.

    Those of which no time is known follow, the heaviest first. `rows` is what is kept of the player, ordered by game
    and slot, `trained_on` what the model knows of the player besides: of a game in both, what is kept counts.
    """
    taste = Taste.of(rows, weights)
    kept = map(_kept, groupby(rows, key=_game_id), taste.strengths)
    seen = set(taste.game_ids)
    others = (game for game in _trained_on(trained_on) if game.game_id not in seen)
    return sorted([*filter(None, kept), *others], key=_latest_first)


def _kept(of_game: tuple[int, Iterator[Row]], weight: float) -> PlayerGame | None:
    game_id, rows = of_game[0], list(of_game[1])
    if not all(slot for _, slot, _, _ in rows):
        return None
    meant = [meant_by(slot, value) for _, slot, value, _ in rows]
    said = dict(meant)
    return PlayerGame(
        game_id=game_id,
        kinds=tuple(kind for kind, _ in meant),
        weight=weight,
        hours=said.get(Kind.PLAY),
        rating=said.get(Kind.RATING),
        at=max((at for *_, at in rows if at is not None), default=None),
    )


def _trained_on(taste: Taste) -> Iterator[PlayerGame]:
    """Read what a model knows of a player, which is less: a game that does not speak for others is one disliked."""
    for game_id, weight, bar in zip(taste.game_ids, taste.strengths, taste.bars, strict=True):
        kind = Kind.PLAY if bar == Bar.KNOWN else Kind.DISLIKE if weight < 0 else Kind.HIDE
        yield PlayerGame(game_id, (kind,), weight, kept=False)


def _latest_first(game: PlayerGame) -> tuple[bool, float, float, int]:
    return game.at is None, -(game.at or 0.0), -game.weight, game.game_id
