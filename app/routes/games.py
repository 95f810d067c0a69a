"""The catalogue: `GET /games`, one game, and the games that go with it."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.errors import GameNotFoundError, ModelNotLoadedError
from app.dependencies import MAX_QUERY_LENGTH, GameId, Model, N, Offset
from app.exception_handlers import documented
from app.schemas import AnswerWarning, GameDetail, GamePage, ScoredGame, SimilarList

router = APIRouter(prefix="/games", tags=["games"])

Search = Annotated[
    str,
    Query(
        max_length=MAX_QUERY_LENGTH,
        description="Words, or parts of words, of the name; case, accents and punctuation do not count.",
        openapi_examples={"a word": {"value": "portal"}},
    ),
]


@router.get("", summary="Find games by name", responses=documented(ModelNotLoadedError))
async def search_games(model: Model, q: Search = "", n: N = 10, offset: Offset = 0) -> GamePage:
    """List the games whose name holds every word of `q`, the closest names first; all games without `q`."""
    games, total = model.recommender.search(q, n, offset)
    return GamePage(total=total, games=[GameDetail.of(game) for game in games])


@router.get("/{game_id}", summary="Get one game", responses=documented(ModelNotLoadedError, GameNotFoundError))
async def get_game(game_id: GameId, model: Model) -> GameDetail:
    """Describe a game with everything the catalogue knows of it."""
    return GameDetail.of(model.recommender.game(game_id))


@router.get(
    "/{game_id}/similar",
    summary="List the games that go with a game",
    responses=documented(ModelNotLoadedError, GameNotFoundError),
)
async def similar_games(game_id: GameId, model: Model, n: N = 10, offset: Offset = 0) -> SimilarList:
    """List games that the same people play, then games that are alike; `source` tells them apart."""
    answer = model.recommender.similar(game_id, n, offset)
    return SimilarList(
        game_id=game_id,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=[AnswerWarning.of(warned) for warned in answer.warnings],
        games=[ScoredGame.of(scored) for scored in answer.games],
    )
