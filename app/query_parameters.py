"""What can be asked of a list of recommendations: the same wishes in a query string and in a body."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.answers import Wishes
from app.core.answer import Query as Question
from app.core.filters import Filters
from app.core.histories import MAX_GAME_ID, MAX_HOURS, MAX_RATING, MAX_USER_ID_LENGTH, NAME_PATTERN
from app.dependencies import MAX_EXCLUDED, MAX_N, MAX_OFFSET, N, Offset
from app.filter_parameters import (
    MAX_LABEL_LENGTH,
    MAX_LABELS,
    FilterQuery,
    OptionalAge,
    OptionalDate,
)
from app.whole_numbers import AS_WHOLE

MAX_PLAYED = 1000
MAX_BATCH = 500
MAX_GROUP = 8

GameField = Literal[
    "game_id",
    "slug",
    "name",
    "released",
    "genres",
    "platforms",
    "tags",
    "rating",
    "ratings_count",
    "reviews_count",
    "added",
    "metacritic",
    "playtime",
    "esrb_rating",
    "background_image",
    "rawg_url",
]

_EXCLUDE = "Ids of games to leave out"
_INCLUDE_PLAYED = "Recommend games that the player has, too; never those disliked or hidden."
_DIVERSITY = "0: the best games. Up to 1: games that differ from each other (maximal marginal relevance)."
_EXPLAIN = "Give each game's exact reasons."
_FIELDS = "Tell these facts of each game, and `game_id`, instead of the usual ones"

Excluded = Annotated[
    list[Annotated[int, Query(ge=1, le=MAX_GAME_ID)]],
    Query(max_length=MAX_EXCLUDED, description=f"{_EXCLUDE}; repeat the parameter for several."),
]
IncludePlayed = Annotated[bool, Query(description=_INCLUDE_PLAYED)]
Fields = Annotated[list[GameField], Query(max_length=20, description=f"{_FIELDS}; repeat the parameter for several.")]


async def _wishes(
    filters: FilterQuery,
    n: N = 10,
    offset: Offset = 0,
    exclude: Excluded = [],  # noqa: B006  # FastAPI copies the default
    include_played: IncludePlayed = False,  # noqa: FBT002  # a parameter of a query has a name
    diversity: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False, description=_DIVERSITY)] = 0.0,
    explain: Annotated[bool, Query(description=_EXPLAIN)] = False,  # noqa: FBT002  # likewise
    fields: Fields = [],  # noqa: B006  # likewise
) -> Wishes:
    return Wishes(Question(n, offset, filters, exclude, include_played, diversity, explain), tuple(fields))


async def _conditions(
    filters: FilterQuery,
    exclude: Excluded = [],  # noqa: B006  # FastAPI copies the default
    include_played: IncludePlayed = False,  # noqa: FBT002  # a parameter of a query has a name
) -> Question:
    return Question(filters=filters, exclude=exclude, include_played=include_played)


WishesQuery = Annotated[Wishes, Depends(_wishes)]
ConditionsQuery = Annotated[Question, Depends(_conditions)]

_Label = Annotated[str, Field(min_length=1, max_length=MAX_LABEL_LENGTH)]
_Labels = Annotated[list[_Label], Field(max_length=MAX_LABELS)]
_GameId = Annotated[int, Field(ge=1, le=MAX_GAME_ID), AS_WHOLE]
_UserId = Annotated[str, Field(min_length=1, max_length=MAX_USER_ID_LENGTH, pattern=NAME_PATTERN)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ListBody(_Strict):
    """What is asked of a list; every field may be left out."""

    n: Annotated[int, Field(ge=1, le=MAX_N), AS_WHOLE] = Field(default=10, description="How many games to answer with.")
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET), AS_WHOLE] = Field(
        default=0, description="How many games of the list to pass over first."
    )
    genre: _Labels = []
    platform: _Labels = []
    tag: _Labels = []
    released_after: OptionalDate = Field(default=None, strict=False, description="`YYYY-MM-DD`, inclusive.")
    released_before: OptionalDate = Field(default=None, strict=False, description="`YYYY-MM-DD`, inclusive.")
    min_rating: float | None = Field(default=None, ge=0, le=5, allow_inf_nan=False)
    min_metacritic: Annotated[int, Field(ge=0, le=100), AS_WHOLE] | None = None
    age_max: OptionalAge = None
    exclude: list[_GameId] = Field(default=[], max_length=MAX_EXCLUDED, description=f"{_EXCLUDE}.")
    include_played: bool = Field(default=False, description=_INCLUDE_PLAYED)
    diversity: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False, description=_DIVERSITY)

    def question(self) -> Question:
        """Take what is asked for as the recommender knows it."""
        filters = Filters(
            genres=tuple(self.genre),
            platforms=tuple(self.platform),
            tags=tuple(self.tag),
            released_after=self.released_after,
            released_before=self.released_before,
            min_rating=self.min_rating,
            min_metacritic=self.min_metacritic,
            age_max=self.age_max,
        )
        return Question(self.n, self.offset, filters, self.exclude, self.include_played, self.diversity)


class ExplainedListBody(ListBody):
    """Likewise, and how much is told of each game."""

    explain: bool = Field(default=False, description=_EXPLAIN)
    fields: list[GameField] = Field(default=[], max_length=20, description=f"{_FIELDS}.")

    def wishes(self) -> Wishes:
        """Take what is asked for as the recommender knows it."""
        return Wishes(replace(self.question(), explain=self.explain), tuple(self.fields))


class PlayedGame(_Strict):
    """A game that a visitor has played."""

    game_id: _GameId
    hours: float | None = Field(default=None, ge=0, le=MAX_HOURS, allow_inf_nan=False)
    rating: float | None = Field(default=None, ge=0, le=MAX_RATING, allow_inf_nan=False)


class VisitorQuery(ExplainedListBody):
    """What somebody without an id played, and what is asked for."""

    model_config = ConfigDict(json_schema_extra={"example": {"played": [{"game_id": 4200, "hours": 12.5}], "n": 5}})

    played: list[PlayedGame] = Field(max_length=MAX_PLAYED, description="Of a game that stands twice the last counts.")


class BatchQuery(ExplainedListBody):
    """Several players, and what is asked for each."""

    model_config = ConfigDict(json_schema_extra={"example": {"user_ids": ["12", "13"], "n": 5}})

    user_ids: list[_UserId] = Field(min_length=1, max_length=MAX_BATCH)


def _distinct(user_ids: list[str]) -> list[str]:
    if len(set(user_ids)) < len(user_ids):
        raise ValueError("must not name a player twice")
    return user_ids


class GroupQuery(ListBody):
    """The players of a party, and what is asked for them all."""

    model_config = ConfigDict(json_schema_extra={"example": {"user_ids": ["12", "13", "14"], "n": 5}})

    user_ids: Annotated[list[_UserId], AfterValidator(_distinct)] = Field(
        min_length=2, max_length=MAX_GROUP, json_schema_extra={"uniqueItems": True}
    )
