"""What routes ask for, as annotated aliases."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.openapi.models import Example

from app.core.histories import MAX_GAME_ID, MAX_USER_ID_LENGTH
from app.live_model import LiveModel, LoadedModel
from app.recommending import Recommending

MAX_N = 100
MAX_OFFSET = 100_000
MAX_EXCLUDED = 1000
MAX_QUERY_LENGTH = 100
USER_ID_PATTERN = "^[^\\x00-\\x1f\\x7f]*$"  # no control characters


async def _loaded_model(request: Request) -> LoadedModel:
    live: LiveModel = request.app.state.live_model
    return live.loaded


Model = Annotated[LoadedModel, Depends(_loaded_model)]


async def _recommending(request: Request) -> Recommending:
    recommending: Recommending = request.app.state.recommending
    return recommending


Recommend = Annotated[Recommending, Depends(_recommending)]

UserId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_USER_ID_LENGTH,
        pattern=USER_ID_PATTERN,
        description="Your own name for the player: any text without control characters.",
        openapi_examples={"a player of the first run": {"value": "12"}},
    ),
]
_PORTAL_2: dict[str, Example] = {"Portal 2": {"value": 4200}}
GameId = Annotated[int, Path(ge=1, le=MAX_GAME_ID, description="RAWG's id of a game.", openapi_examples=_PORTAL_2)]
N = Annotated[int, Query(ge=1, le=MAX_N, description="How many games to answer with.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many games of the list to pass over first.")]
