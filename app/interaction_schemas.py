"""The bodies of what is written of players and hidden games, and of the answers about it."""

import re
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError

from app.core.histories import MAX_GAME_ID, MAX_HOURS, MAX_RATING, MAX_USER_ID_LENGTH, NAME_PATTERN
from app.core.interactions import Interaction, Kind
from app.whole_numbers import AS_WHOLE

MAX_WRITTEN = 1000
MAX_EVENT_ID_LENGTH = 128

_CLOCKS_DIFFER = 60.0  # seconds by which a client's clock may be fast
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)

KeptKind = Literal["play", "rating", "like", "dislike", "wishlist", "hide"]


def _seconds(text: object) -> object:
    """Read a time as seconds since 1970, and leave what is no text to pydantic."""
    if not isinstance(text, str):
        return None if text is None else _refuse("must be a time with its zone, as in 2026-01-31T20:15:00Z")
    if not _RFC_3339.fullmatch(text):
        return _refuse("must be a time with its zone, as in 2026-01-31T20:15:00Z")
    try:
        seconds = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return _refuse("is not a time that there is")
    if seconds < 0:
        return _refuse("must not be before 1970")
    return _refuse("must not be in the future") if seconds > time.time() + _CLOCKS_DIFFER else seconds


def _refuse(reason: str) -> object:
    raise PydanticCustomError("time", reason)


def written_time(seconds: float) -> datetime:
    """Write a time as answers tell it."""
    return datetime.fromtimestamp(seconds, UTC)


_Time = Annotated[
    float | None,
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]


class _OfPlayer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    user_id: str = Field(
        min_length=1,
        max_length=MAX_USER_ID_LENGTH,
        pattern=NAME_PATTERN,
        description="Your own name for the player: any text without control characters.",
        examples=["12"],
    )
    game_id: Annotated[int, Field(ge=1, le=MAX_GAME_ID), AS_WHOLE] = Field(
        description="RAWG's id of the game.", examples=[4200]
    )
    recommendation_id: str | None = Field(
        default=None, pattern="^[0-9a-f]{32}$", description="The answer in which the player saw the game."
    )


class _Written(_OfPlayer, ABC):
    at: _Time = Field(
        default=None,
        description="When it was, with its zone and not in the future; by default now.",
        examples=["2026-01-31T20:15:00Z"],
    )
    event_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_EVENT_ID_LENGTH,
        pattern=NAME_PATTERN,
        description="Your own name for this event: what is sent again under the same name, for the same player, game "
        "and kind, counts once.",
        examples=["session-81723"],
    )

    def interaction(self, now: float) -> Interaction:
        """Say what is to be kept; `now`, in seconds since 1970, stands in for a time that is not given."""
        at = now if self.at is None else self.at
        kind, value, accumulate = self.said()
        return Interaction(
            self.user_id, self.game_id, kind, value, at, accumulate, self.event_id, self.recommendation_id
        )

    @abstractmethod
    def said(self) -> tuple[Kind, float | None, bool]:
        """Give the kind, its value, and whether that is to be added."""
        ...


class WrittenOnPage(_OfPlayer):
    """What a visitor of the page did a moment ago."""

    kind: Literal["play", "like", "dislike", "wishlist", "hide", "open"]

    def interaction(self, now: float) -> Interaction:
        """Say what is to be kept; `now` is in seconds since 1970."""
        kind = Kind(self.kind)
        return Interaction(self.user_id, self.game_id, kind, None, now, recommendation_id=self.recommendation_id)


class WrittenPlay(_Written):
    """A game was played."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"user_id": "12", "game_id": 4200, "kind": "play", "hours": 12.5}}
    )

    kind: Literal["play"]
    hours: float | None = Field(
        default=None, ge=0, le=MAX_HOURS, description="The whole time played, or with `accumulate` what to add to it."
    )
    accumulate: bool = Field(default=False, description="Add the hours to those there are; give an `event_id` too.")

    def said(self) -> tuple[Kind, float | None, bool]:
        """Give the kind, its value, and whether that is to be added."""
        return Kind.PLAY, None if self.hours is None else abs(self.hours), self.accumulate  # a zero has no sign


class WrittenRating(_Written):
    """A game was rated."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"user_id": "12", "game_id": 4200, "kind": "rating", "rating": 4.5}}
    )

    kind: Literal["rating"]
    rating: float = Field(ge=0, le=MAX_RATING, description="From 0, the worst, to 5.")

    def said(self) -> tuple[Kind, float | None, bool]:
        """Give the kind, its value, and whether that is to be added."""
        return Kind.RATING, abs(self.rating), False


class WrittenMark(_Written):
    """A game was liked, disliked, put on the wishlist, hidden as of no interest, or opened to have a look."""

    model_config = ConfigDict(json_schema_extra={"example": {"user_id": "12", "game_id": 4200, "kind": "like"}})

    kind: Literal["like", "dislike", "wishlist", "hide", "open"]

    def said(self) -> tuple[Kind, float | None, bool]:
        """Give the kind, its value, and whether that is to be added."""
        return Kind(self.kind), None, False


AnyWritten = WrittenPlay | WrittenRating | WrittenMark
_One = Annotated[AnyWritten, Field(discriminator="kind")]
one_written: TypeAdapter[AnyWritten] = TypeAdapter(_One)

# Described as what it should be, and taken as it is: each row is checked by itself.
OneOrMany = Annotated[
    _One | Annotated[list[_One], Field(min_length=1, max_length=MAX_WRITTEN)],
    WrapValidator(lambda body, _: body),
]


class RejectedRow(BaseModel):
    """An interaction that was not stored."""

    index: int = Field(description="Its place in the list, from 0 on.")
    field: str | None = Field(description="The first field that is wrong; null where it is the whole.")
    reason: str


class WriteSummary(BaseModel):
    """What became of the interactions."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "stored": 2,
                "repeated": 0,
                "unknown_games": 0,
                "rejected": [{"index": 1, "field": "hours", "reason": "Input should be greater than or equal to 0"}],
            }
        }
    )

    stored: int
    repeated: int = Field(description="How many had an `event_id` that was stored before; they changed nothing.")
    unknown_games: int | None = Field(
        description="How many games the live model does not know; their interactions are stored all the same. Null "
        "before the first model."
    )
    rejected: list[RejectedRow]


class KeptInteraction(BaseModel):
    """What is kept of a player, a game and a kind."""

    game_id: int
    name: str | None = Field(description="Null for a game that the live model does not know.")
    kind: KeptKind
    hours: float | None
    rating: float | None
    at: datetime | None

    @classmethod
    def of(cls, one: Interaction, name: str | None) -> Self:
        """Describe an interaction."""
        return cls.model_validate(
            {
                "game_id": one.game_id,
                "name": name,
                "kind": one.kind.value,
                "hours": one.value if one.kind is Kind.PLAY else None,
                "rating": one.value if one.kind is Kind.RATING else None,
                "at": None if one.at is None else written_time(one.at),
            }
        )


class InteractionPage(BaseModel):
    """Some of a player's interactions, ordered by game."""

    user_id: str
    total: int = Field(description="How many there are in all.")
    interactions: list[KeptInteraction]


class HiddenGameEntry(BaseModel):
    """A game that is in no answer."""

    game_id: int
    name: str | None = Field(description="Null for a game that the live model does not know.")
    hidden_at: datetime


class HiddenGamePage(BaseModel):
    """Some of the hidden games, ordered by id."""

    total: int = Field(description="How many there are in all.")
    games: list[HiddenGameEntry]


def row_reason(error: Any) -> tuple[str | None, str]:
    """Take the field and the reason from one of pydantic's errors about one interaction."""
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        kinds = [kind.value for kind in Kind]
        return "kind", f"must be one of {', '.join(kinds)}"
    if not error["loc"]:
        return None, "must be an object: one interaction"
    # A field that there is not has any name, however long, that JSON can hold.
    names = [str(name)[:MAX_EVENT_ID_LENGTH].encode(errors="replace").decode() for name in error["loc"][1:]]
    return (names[0] if names else None), error["msg"]
