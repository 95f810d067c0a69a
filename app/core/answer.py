"""An answer, and the question behind it, in the terms of whoever asks: game ids go in and out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from typing import Literal, NamedTuple, cast

import orjson

from app.core.catalogue import Game
from app.core.filters import Filters

WarningCode = Literal[
    "unknown_player",
    "padded_with_popular",
    "fewer_than_asked",
    "history_as_trained",
    "unknown_filter_value",
    "unknown_games",
]


class Source(StrEnum):
    """Where a game in an answer comes from."""

    COLLABORATIVE = "collaborative"
    CONTENT = "content"
    POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: `n` games from `offset` on, which ones, and how much should be told.

    `diversity` (0 to 1) weighs a list of games that differ against the plain ranking.
    """

    n: int = 10
    offset: int = 0
    filters: Filters = Filters()
    exclude: Sequence[int] = ()
    include_played: bool = False
    diversity: float = 0.0
    explain: bool = False


class Warned(NamedTuple):
    """Something the caller should know about an answer: a stable code and a sentence."""

    code: WarningCode
    message: str


def of_unknown_labels(unknown: Iterable[tuple[str, str]]) -> Iterator[Warned]:
    """Warn of every genre, platform and tag asked for that no game has, given by parameter and value."""
    for parameter, value in unknown:
        message = f"No game has the {parameter} {value!r}; GET /{parameter}s lists what there is."
        yield Warned("unknown_filter_value", message)


class Reason(NamedTuple):
    """The part that one played game has in a score; the shares of all reasons add up to the score."""

    game_id: int
    name: str
    share: float


class Scored(NamedTuple):
    """One game of an answer, `rank` 1 being the best of the whole ranking; `card` is JSON without its last brace."""

    game_id: int
    card: bytes
    score: float
    rank: int
    source: Source
    reasons: tuple[Reason, ...] = ()

    @property
    def game(self) -> Game:
        """Read the facts on the card."""
        return cast("Game", orjson.loads(self.card + b"}"))


class Recommendations(NamedTuple):
    """One answer: games in ranked order, in columns of one length, and what to know about them.

    `rank` is that of the first game. `reasons` is empty where none were asked for.
    """

    game_ids: list[int]
    cards: list[bytes]
    scores: list[float]
    sources: list[Source]
    rank: int
    reasons: Sequence[tuple[Reason, ...]] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def games(self) -> tuple[Scored, ...]:
        """Read the answer game by game."""
        ranks = range(self.rank, self.rank + len(self.game_ids))
        reasons = self.reasons or repeat(())
        return tuple(map(Scored, self.game_ids, self.cards, self.scores, ranks, self.sources, reasons))
