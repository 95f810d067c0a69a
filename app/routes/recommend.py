"""`GET /recommend/{user_id}`."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Path, Query

from app.core.errors import ModelNotLoadedError
from app.core.histories import MAX_GAME_ID, MAX_USER_ID_LENGTH
from app.dependencies import MAX_EXCLUDED, Model, N, Offset
from app.exception_handlers import documented
from app.schemas import RecommendationList

router = APIRouter(tags=["recommend"])

UserId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_USER_ID_LENGTH,
        description="Your own name for the player: any text.",
        openapi_examples={"a player of the first run": {"value": "12"}},
    ),
]
Excluded = Annotated[
    list[Annotated[int, Query(ge=1, le=MAX_GAME_ID)]],
    Query(max_length=MAX_EXCLUDED, description="Ids of games to leave out; repeat the parameter for several."),
]


# The path convertor lets a player's name hold a slash.
@router.get(
    "/recommend/{user_id:path}",
    summary="Recommend games to a player",
    responses=documented(ModelNotLoadedError),
)
async def recommend(
    user_id: UserId,
    model: Model,
    n: N = 10,
    offset: Offset = 0,
    exclude: Excluded = [],  # noqa: B006  # FastAPI copies the default
    explain: Annotated[bool, Query(description="Give each game's exact reasons.")] = False,  # noqa: FBT002
) -> RecommendationList:
    """Answer with the `n` best games that the player has not played.

    What follows from the player's own plays comes first; popular games fill up the rest, and the answer says so in
    `source` and `warnings`. A player nobody knows gets the most popular games.
    """
    answer = model.recommender.recommend(user_id, n, offset=offset, exclude=exclude, explain=explain)
    return RecommendationList.of(answer, uuid4().hex, user_id, model)
