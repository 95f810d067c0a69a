"""What routes ask for, as annotated aliases."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.openapi.models import Example

from app.core.errors import ModelNotLoadedError
from app.core.hidden_games import HiddenGames
from app.core.histories import MAX_GAME_ID, MAX_USER_ID_LENGTH, NAME_PATTERN
from app.core.interactions import InteractionStore
from app.live_model import LiveModel, LoadedModel
from app.names import GameNames
from app.players import Players
from app.recommending import Recommending
from app.tally import Tally
from app.trends import Trends

MAX_N = 100
MAX_OFFSET = 100_000
MAX_EXCLUDED = 1000
MAX_QUERY_LENGTH = 100


async def _loaded_model(request: Request) -> LoadedModel:
    live: LiveModel = request.app.state.live_model
    return live.loaded


Model = Annotated[LoadedModel, Depends(_loaded_model)]


async def _recommending(request: Request) -> Recommending:
    recommending: Recommending = request.app.state.recommending
    return recommending


Recommend = Annotated[Recommending, Depends(_recommending)]


async def _interactions(request: Request) -> InteractionStore:
    interactions: InteractionStore = request.app.state.interactions
    return interactions


Interactions = Annotated[InteractionStore, Depends(_interactions)]


async def _tally(request: Request) -> Tally:
    tally: Tally = request.app.state.tally
    return tally


Counted = Annotated[Tally, Depends(_tally)]


async def _players(request: Request) -> Players:
    players: Players = request.app.state.players
    return players


PlayersNow = Annotated[Players, Depends(_players)]


async def _hidden_games(request: Request) -> HiddenGames:
    hidden: HiddenGames = request.app.state.hidden_games
    return hidden


Hidden = Annotated[HiddenGames, Depends(_hidden_games)]


async def _trends(request: Request) -> Trends:
    trends: Trends = request.app.state.trends
    return trends


TrendsNow = Annotated[Trends, Depends(_trends)]


async def _names(request: Request) -> GameNames:
    live: LiveModel = request.app.state.live_model
    try:
        return GameNames(live.loaded.recommender.catalogue)
    except ModelNotLoadedError:  # what is kept of players needs no model
        return GameNames(None)


Names = Annotated[GameNames, Depends(_names)]

UserId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_USER_ID_LENGTH,
        pattern=NAME_PATTERN,
        description="Your own name for the player: any text without control characters.",
        openapi_examples={"a player of the first run": {"value": "12"}},
    ),
]
_PORTAL_2: dict[str, Example] = {"Portal 2": {"value": 4200}}
GameId = Annotated[int, Path(ge=1, le=MAX_GAME_ID, description="RAWG's id of a game.", openapi_examples=_PORTAL_2)]
N = Annotated[int, Query(ge=1, le=MAX_N, description="How many games to answer with.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many games of the list to pass over first.")]
