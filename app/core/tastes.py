"""What the interactions of a player with a game mean: for the next answer, and for the next model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, Self

from app.core.catalogue import IntArray
from app.core.histories import MAX_RATING, Histories, Play, PlayWeights

_WISH = 0.5  # of a play: a game on the wishlist is an interest, not yet a liking
_LIKED, _DISLIKED, _NEITHER = MAX_RATING, 0.0, MAX_RATING / 2
_DAY = 86_400.0  # seconds
_game_id = itemgetter(0)


class Slot(IntEnum):
    """What is kept of a player and a game: one value of each kind, or none. The numbers stand in the database."""

    PLAY = 1  # hours in all, or null
    RATING = 2  # 0 to 5
    OPINION = 3  # 1 for a like, -1 for a dislike
    WISHLIST = 4
    HIDE = 5


Row = tuple[Any, ...]  # game id, slot (0 where an operator has hidden the game), value, seconds since 1970
Fact = tuple[int, float | None, float | None, bool, bool, float | None]


class Bar(IntEnum):
    """Whether a game that a player has to do with may be recommended."""

    NONE = 0  # on the wishlist
    KNOWN = 1  # played, rated or liked: when played games are asked for
    VETO = 2  # disliked or hidden: never


def facts(rows: Iterable[Row]) -> Iterator[Fact]:
    """Put together the rows of each game, which come ordered by game and slot.

    Gives the game's id, its hours, its rating, whether the player has it, whether it is vetoed, and the latest time. A
    dislike counts like the worst rating whatever the stars say, a like like the best where there are none. A game
    that was hidden, and no more, is neither liked nor disliked.
    """
    for game_id, of_game in groupby(rows, _game_id):
        yield _fact(game_id, of_game)


def _fact(game_id: int, rows: Iterable[Row]) -> Fact:
    hours = rating = at = None
    has = vetoed = False
    for _, slot, value, row_at in rows:
        if row_at is not None and (at is None or row_at > at):
            at = row_at
        has = has or Slot.PLAY <= slot <= Slot.OPINION
        if slot == Slot.PLAY:
            hours = value
        elif slot == Slot.RATING:
            rating = value
        elif slot == Slot.OPINION:
            vetoed = vetoed or value < 0
            rating = _DISLIKED if value < 0 else _LIKED if rating is None else rating
        elif slot != Slot.WISHLIST:
            vetoed = True
    return game_id, hours, rating if has or not vetoed else _NEITHER, has, vetoed, at


def plays(user_id: str, rows: Iterable[Row]) -> Iterator[Play]:
    """Read a player's rows as a model learns from them: a wish is not yet a play."""
    for game_id, hours, rating, has, vetoed, at in facts(rows):
        if has or vetoed:
            yield Play(user_id, game_id, hours, rating, at)


@dataclass(frozen=True, slots=True)
class Taste:
    """What one player's games say, in lists of one length: their ids, how strongly each counts, and its `Bar`.

    `known` tells whether anything of this player is; games that an operator has hidden stand there for everybody.
    """

    game_ids: Sequence[int] = ()
    strengths: Sequence[float] = ()
    bars: Sequence[int] = ()
    known: bool = False

    @classmethod
    def of(cls, rows: Sequence[Row], weights: PlayWeights) -> Self:
        """Weigh a player's rows, ordered by game and slot, as `weights` weighs plays."""
        game_ids: list[int] = []
        strengths: list[float] = []
        bars: list[int] = []
        times: list[float | None] = []
        weigh = weights.weigh_one
        for game_id, hours, rating, has, vetoed, at in facts(rows):
            game_ids.append(game_id)
            strengths.append(weigh(hours, rating) if has or vetoed else _WISH * weigh(None, None))
            bars.append(2 if vetoed else 1 if has else 0)
            times.append(at)
        if weights.half_life_days is not None:
            strengths = _faded(strengths, times, weights.half_life_days * _DAY)
        return cls(game_ids, strengths, bars, any(row[1] for row in rows))

    @classmethod
    def trained_on(cls, histories: Histories, user_id: str, game_ids: IntArray) -> Self | None:
        """Read what a model knows of a player; None for a player it does not know.

        `game_ids` are those of the model's catalogue, by index.
        """
        row = histories.of(user_id)
        if row is None:
            return None
        indices, strengths = row
        return cls(
            game_ids[indices].tolist(),
            strengths.tolist(),
            [Bar.KNOWN if strength > 0 else Bar.VETO for strength in strengths],
            known=True,
        )

    def and_also(self, later: "Taste") -> "Taste":
        """Put two tastes of one player together: a veto stands, and what the later one knows of a game counts."""
        both = dict(zip(self.game_ids, zip(self.strengths, self.bars, strict=True), strict=True))
        for game_id, strength, bar in zip(later.game_ids, later.strengths, later.bars, strict=True):
            before, bar_before = both.get(game_id, (strength, bar))
            says_nothing = bar == Bar.NONE or not strength
            both[game_id] = before if says_nothing else strength, max(bar, bar_before)
        strengths, bars = zip(*both.values(), strict=True) if both else ((), ())
        return Taste(list(both), strengths, bars, self.known or later.known)


def _faded(strengths: list[float], times: list[float | None], half_life: float) -> list[float]:
    """Let older plays count less than the player's latest; how much less than another player's says nothing here."""
    latest = max((at for at in times if at is not None), default=0.0)
    return [
        strength if at is None else strength * 0.5 ** ((latest - at) / half_life)
        for strength, at in zip(strengths, times, strict=True)
    ]
