"""What the interactions of a player with a game mean: for the next answer, and for the next model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from app.core.histories import MAX_RATING, Histories, Play, PlayWeights

_WISH = 0.5  # of a play: a game on the wishlist is an interest, not yet a liking
_LIKED, _DISLIKED, _NEITHER = MAX_RATING, 0.0, MAX_RATING / 2
_DAY = 86_400.0  # seconds


class Slot(IntEnum):
    """What is kept of a player and a game: one value of each kind, or none. The numbers stand in the database."""

    PLAY = 1  # hours in all, or null
    RATING = 2  # 0 to 5
    OPINION = 3  # 1 for a like, -1 for a dislike
    WISHLIST = 4
    HIDE = 5


Row = Sequence  # game id, slot, value, seconds since 1970 (both may be null)
Fact = tuple[int, float | None, float | None, bool, bool, float | None]


class Bar(IntEnum):
    """Whether a game that a player has to do with may be recommended."""

    NONE = 0  # on the wishlist
    KNOWN = 1  # played, rated or liked: when played games are asked for
    VETO = 2  # disliked or hidden: never


def facts(rows: Iterable[Row]) -> Iterator[Fact]:
    """Put together the rows of each game, which come ordered by game and slot.

    Gives the game's id, its hours, its rating, whether it is vetoed, whether it is only wished for, and the latest time.
    A dislike counts like the worst rating whatever the stars say, a like like the best where there are none. A game
    that was hidden, and no more, is neither liked nor disliked.
    """
    game_id = 0
    hours = rating = at = None
    vetoed, wished = False, True
    for row_game, slot, value, row_at in rows:
        if row_game != game_id:
            if game_id:
                yield game_id, hours, rating, vetoed, wished, at
            game_id = row_game
            hours = rating = at = None
            vetoed, wished = False, True
        if row_at is not None and (at is None or row_at > at):
            at = row_at
        if slot == 1:
            hours, wished = value, False
        elif slot == 2:
            rating, wished = value, False
        elif slot == 3:
            if value < 0:
                rating, vetoed = _DISLIKED, True
            elif rating is None:
                rating = _LIKED
            wished = False
        elif slot == 5:
            if wished:
                rating, wished = _NEITHER, False
            vetoed = True
    if game_id:
        yield game_id, hours, rating, vetoed, wished, at


def plays(user_id: str, rows: Iterable[Row]) -> Iterator[Play]:
    """Read a player's rows as a model learns from them: a wish is not yet a play."""
    for game_id, hours, rating, _vetoed, wished, at in facts(rows):
        if not wished:
            yield Play(user_id, game_id, hours, rating, at)


@dataclass(frozen=True, slots=True)
class Taste:
    """What one player's games say, in lists of one length: their ids, how strongly each counts, and its `Bar`."""

    game_ids: Sequence[int] = ()
    strengths: Sequence[float] = ()
    bars: Sequence[int] = ()

    @classmethod
    def of(cls, rows: Iterable[Row], weights: PlayWeights) -> Self:
        """Weigh a player's rows, ordered by game and slot, as `weights` weighs plays."""
        game_ids: list[int] = []
        strengths: list[float] = []
        bars: list[int] = []
        times: list[float | None] = []
        weigh = weights.weigh_one
        for game_id, hours, rating, vetoed, wished, at in facts(rows):
            game_ids.append(game_id)
            strengths.append(_WISH * weigh(None, None) if wished else weigh(hours, rating))
            bars.append(2 if vetoed else 0 if wished else 1)
            times.append(at)
        if weights.half_life_days is not None:
            strengths = _faded(strengths, times, weights.half_life_days * _DAY)
        return cls(game_ids, strengths, bars)

    @classmethod
    def trained_on(cls, histories: Histories, user_id: str, game_ids: Sequence[int]) -> Self | None:
        """Read what a model knows of a player; None for a player it does not know.

        `game_ids` are those of the model's catalogue, by index.
        """
        row = histories.of(user_id)
        if row is None:
            return None
        indices, strengths = row
        return cls(
            [int(game_ids[index]) for index in indices],
            strengths.tolist(),
            [Bar.KNOWN if strength > 0 else Bar.VETO for strength in strengths],
        )

    def and_also(self, later: "Taste") -> "Taste":
        """Put two tastes of one player together; what the later one says of a game counts."""
        both = {
            game_id: (strength, bar)
            for taste in (self, later)
            for game_id, strength, bar in zip(taste.game_ids, taste.strengths, taste.bars, strict=True)
        }
        return Taste(list(both), [strength for strength, _ in both.values()], [bar for _, bar in both.values()])


def _faded(strengths: list[float], times: list[float | None], half_life: float) -> list[float]:
    """Let older plays count less than the player's latest; how much less than another player's says nothing here."""
    latest = max((at for at in times if at is not None), default=0.0)
    return [
        strength if at is None else strength * 0.5 ** ((latest - at) / half_life)
        for strength, at in zip(strengths, times, strict=True)
    ]
