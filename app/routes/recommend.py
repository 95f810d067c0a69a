"""`GET /recommend/{user_id}`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.core.answer import Query as Question
from app.core.errors import ModelNotLoadedError
from app.core.histories import MAX_GAME_ID
from app.dependencies import MAX_EXCLUDED, N, Offset, Recommend, UserId
from app.exception_handlers import documented
from app.schemas import RecommendationList

router = APIRouter(tags=["recommend"])

Excluded = Annotated[
    list[Annotated[int, Query(ge=1, le=MAX_GAME_ID)]],
    Query(max_length=MAX_EXCLUDED, description="Ids of games to leave out; repeat the parameter for several."),
]


# The path convertor lets a player's name hold a slash.
@router.get(
    "/recommend/{user_id:path}",
    summary="Recommend games to a player",
    responses=documented(ModelNotLoadedError),
    response_model=RecommendationList,
)
async def recommend(
    user_id: UserId,
    recommending: Recommend,
    n: N = 10,
    offset: Offset = 0,
    exclude: Excluded = [],  # noqa: B006  # FastAPI copies the default
    include_played: Annotated[bool, Query(description="Recommend games that the player has, too.")] = False,  # noqa: FBT002
    explain: Annotated[bool, Query(description="Give each game's exact reasons.")] = False,  # noqa: FBT002
) -> Response:
    """Answer with the `n` best games that the player has not played.

    What follows from the player's own plays comes first; popular games fill up the rest, and the answer says so in
    `source` and `warnings`. A player nobody knows gets the most popular games.
    """
    question = Question(n=n, offset=offset, exclude=exclude, include_played=include_played, explain=explain)
    return Response(await recommending.for_player(user_id, question), media_type="application/json")
