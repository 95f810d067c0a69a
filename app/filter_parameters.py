"""The parameters of a query that filter games, the same for every list, and what to say of values that no game has."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.core.answer import of_unknown_labels
from app.core.catalogue import fold
from app.core.facets import Facets
from app.core.filters import AGE_RATINGS, AgeRating, Filters
from app.schemas import AnswerWarning

MAX_LABELS = 20
MAX_LABEL_LENGTH = 100

_AGES = {fold(name): name for name in AGE_RATINGS}
_SEVERAL = "Repeat the parameter for several, of which one is enough; case and accents do not count."

_Label = Annotated[str, Query(min_length=1, max_length=MAX_LABEL_LENGTH)]


def _age_rating(text: object) -> object:
    """Take a rating however it is spelled: the `+` of a query is a space."""
    return _AGES.get(fold(text), text) if isinstance(text, str) else text


def _iso(text: object) -> object:
    """Let nothing pass but `YYYY-MM-DD`, where pydantic would take numbers and times for dates too."""
    if text is not None and not (isinstance(text, str) and _is_iso(text)):
        raise ValueError("must be a date, YYYY-MM-DD")
    return text


def _is_iso(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


class _NeverNull:
    """Describes a parameter that may be absent without the null that no query can hold."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, describe: GetJsonSchemaHandler) -> JsonSchemaValue:
        described: JsonSchemaValue = describe(schema)["anyOf"][0]
        return described


OptionalDate = Annotated[date | None, BeforeValidator(_iso)]
OptionalAge = Annotated[AgeRating | None, BeforeValidator(_age_rating)]
_Date = Annotated[OptionalDate, _NeverNull()]
_Rating = Annotated[float | None, _NeverNull()]
_Score = Annotated[int | None, _NeverNull()]
_Age = Annotated[OptionalAge, _NeverNull()]


async def _filters(
    genre: Annotated[
        list[_Label], Query(max_length=MAX_LABELS, description=f"A genre of `GET /genres`. {_SEVERAL}")
    ] = [],  # noqa: B006  # FastAPI copies the default
    platform: Annotated[
        list[_Label], Query(max_length=MAX_LABELS, description=f"A platform of `GET /platforms`. {_SEVERAL}")
    ] = [],  # noqa: B006  # likewise
    tag: Annotated[list[_Label], Query(max_length=MAX_LABELS, description=f"A tag of `GET /tags`. {_SEVERAL}")] = [],  # noqa: B006  # likewise
    released_after: Annotated[
        _Date, Query(description="Only games released on this day or later, `YYYY-MM-DD`.")
    ] = None,
    released_before: Annotated[
        _Date, Query(description="Only games released on this day or earlier, `YYYY-MM-DD`.")
    ] = None,
    min_rating: Annotated[
        _Rating,
        Query(ge=0, le=5, allow_inf_nan=False, description="Only games that RAWG's users rate so high, 0 to 5."),
    ] = None,
    min_metacritic: Annotated[
        _Score, Query(ge=0, le=100, description="Only games with such a Metacritic score, 0 to 100.")
    ] = None,
    age_max: Annotated[
        _Age,
        Query(description="Only games that the ESRB has rated, and for no older players than this."),
    ] = None,
) -> Filters:
    """Gather what was asked for; all of it must hold, and what is unknown of a game passes no filter on it."""
    return Filters(
        genres=tuple(genre),
        platforms=tuple(platform),
        tags=tuple(tag),
        released_after=released_after,
        released_before=released_before,
        min_rating=min_rating,
        min_metacritic=min_metacritic,
        age_max=age_max,
    )


FilterQuery = Annotated[Filters, Depends(_filters)]


def unknown_values(facets: Facets, filters: Filters) -> list[AnswerWarning]:
    """Warn of every genre, platform and tag asked for that no game has."""
    return [AnswerWarning.of(warned) for warned in of_unknown_labels(facets.unknown_labels(filters))]
