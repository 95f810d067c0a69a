"""The catalogue: lists of games, one game, and the games that go with it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.browsing import Listing, browse
from app.core.errors import GameNotFoundError, ModelNotLoadedError
from app.core.orders import Sort
from app.dependencies import MAX_QUERY_LENGTH, GameId, Model, N, Offset
from app.exception_handlers import documented
from app.filter_parameters import FilterQuery, unknown_values
from app.live_model import LoadedModel
from app.schemas import AnswerWarning, GameDetail, GamePage, ScoredGame, SimilarList

router = APIRouter(prefix="/games", tags=["games"])

Search = Annotated[
    str,
    Query(
        max_length=MAX_QUERY_LENGTH,
        description="Words, or parts of words, of the name; case, accents and punctuation do not count, and typos are "
        "forgiven: one in a word of three letters, two in six, none in numbers.",
        openapi_examples={"a word": {"value": "portal"}, "with typos": {"value": "witcher wild hnt"}},
    ),
]
SortBy = Annotated[
    Sort,
    Query(
        description="`relevance`: how close the name is to `q` (without `q`, as `added`). `popularity`: how many "
        "players have the game. `name`: from A on. `released`, `rating`, `metacritic`, `added` (to people's lists on "
        "RAWG): the latest or highest first, and where unknown last."
    ),
]
Reverse = Annotated[bool, Query(description="Turn the order of `sort` round; what is unknown stays last.")]


@router.get("", summary="Search, filter and sort games", responses=documented(ModelNotLoadedError))
async def list_games(
    model: Model,
    filters: FilterQuery,
    q: Search = "",
    sort: SortBy = Sort.RELEVANCE,
    reverse: Reverse = False,  # noqa: FBT002  # a parameter of a query has a name
    n: N = 10,
    offset: Offset = 0,
) -> GamePage:
    """List the games that pass all filters and whose name holds every word of `q`.

    Names that hold the words to the letter come first, then those that do but for typos.
    """
    return _page(model, Listing(q, filters, sort, reverse), n, offset)


@router.get("/popular", summary="List the most popular games", responses=documented(ModelNotLoadedError))
async def popular_games(model: Model, filters: FilterQuery, n: N = 10, offset: Offset = 0) -> GamePage:
    """List the games that most players have; this is what a player nobody knows is recommended."""
    return _page(model, Listing(filters=filters, sort=Sort.POPULARITY), n, offset)


@router.get("/new", summary="List the newest games", responses=documented(ModelNotLoadedError))
async def new_games(model: Model, filters: FilterQuery, n: N = 10, offset: Offset = 0) -> GamePage:
    """List the games that are out, the latest first; today is that of UTC."""
    today = datetime.now(UTC).date()
    out = replace(filters, released_before=min(today, filters.released_before or today))
    return _page(model, Listing(filters=out, sort=Sort.RELEASED), n, offset)


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


def _page(model: LoadedModel, listing: Listing, n: int, offset: int) -> GamePage:
    page = browse(model.recommender, listing, n, offset)
    return GamePage(
        total=page.total,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=unknown_values(model.recommender.facets, listing.filters),
        games=[GameDetail.of(game) for game in page.games],
    )
