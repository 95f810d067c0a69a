"""The catalogue: lists of games, one game, and the games that go with it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.answer import Warned
from app.core.browsing import Listing, browse
from app.core.errors import GameNotFoundError, ModelNotLoadedError
from app.core.orders import Sort
from app.dependencies import MAX_QUERY_LENGTH, GameId, Model, N, Offset, PlayersNow, TrendsNow
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
    players: PlayersNow,
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
    return _page(model, Listing(q, filters, sort, reverse, hidden=await players.hidden()), n, offset)


@router.get("/popular", summary="List the most popular games", responses=documented(ModelNotLoadedError))
async def popular_games(
    model: Model, players: PlayersNow, filters: FilterQuery, n: N = 10, offset: Offset = 0
) -> GamePage:
    """List the games that most players have; this is what a player nobody knows is recommended."""
    listing = Listing(filters=filters, sort=Sort.POPULARITY, hidden=await players.hidden())
    return _page(model, listing, n, offset)


@router.get("/trending", summary="List the games of the hour", responses=documented(ModelNotLoadedError))
async def trending_games(
    model: Model, players: PlayersNow, trends: TrendsNow, filters: FilterQuery, n: N = 10, offset: Offset = 0
) -> GamePage:
    """List the games that most players took up lately: played, rated, liked, or put on the wishlist.

    What was done today counts whole, what was done a week ago half, and nothing that is older than 30 days; all is
    counted once a minute. The most popular games follow, and the answer says so in `warnings`.
    """
    first = await trends.game_ids()
    listing = Listing(filters=filters, sort=Sort.POPULARITY, first=first, hidden=await players.hidden())
    page = _page(model, listing, n, offset)
    trending = len({game.game_id for game in page.games}.intersection(first))
    if trending < len(page.games):
        told = f"{trending} of these {len(page.games)} games are trending; the others are popular ones."
        page.warnings.append(AnswerWarning.of(Warned("padded_with_popular", told)))
    return page


@router.get("/new", summary="List the newest games", responses=documented(ModelNotLoadedError))
async def new_games(model: Model, players: PlayersNow, filters: FilterQuery, n: N = 10, offset: Offset = 0) -> GamePage:
    """List the games that are out, the latest first; today is that of UTC."""
    today = datetime.now(UTC).date()
    out = replace(filters, released_before=min(today, filters.released_before or today))
    listing = Listing(filters=out, sort=Sort.RELEASED, hidden=await players.hidden())
    return _page(model, listing, n, offset)


@router.get("/{game_id}", summary="Get one game", responses=documented(ModelNotLoadedError, GameNotFoundError))
async def get_game(game_id: GameId, model: Model, players: PlayersNow) -> GameDetail:
    """Describe a game with everything the catalogue knows of it."""
    _see(game_id, await players.hidden())
    return GameDetail.of(model.recommender.game(game_id))


@router.get(
    "/{game_id}/similar",
    summary="List the games that go with a game",
    responses=documented(ModelNotLoadedError, GameNotFoundError),
)
async def similar_games(
    game_id: GameId, model: Model, players: PlayersNow, n: N = 10, offset: Offset = 0
) -> SimilarList:
    """List games that the same people play, then games that are alike; `source` tells them apart."""
    hidden = await players.hidden()
    _see(game_id, hidden)
    answer = model.recommender.similar(game_id, n, offset, hidden)
    return SimilarList(
        game_id=game_id,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=[AnswerWarning.of(warned) for warned in answer.warnings],
        games=[ScoredGame.of(scored) for scored in answer.games],
    )


def _see(game_id: int, hidden: Collection[int]) -> None:
    """Let a hidden game be as if it were not there."""
    if game_id in hidden:
        raise GameNotFoundError(game_id)


def _page(model: LoadedModel, listing: Listing, n: int, offset: int) -> GamePage:
    page = browse(model.recommender, listing, n, offset)
    return GamePage(
        total=page.total,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=unknown_values(model.recommender.facets, listing.filters),
        games=[GameDetail.of(game) for game in page.games],
    )
