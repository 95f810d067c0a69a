"""The application: everything is built here, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from starlette.datastructures import State

from app import exception_handlers
from app.core import __version__
from app.core.database import Database
from app.core.hidden_games import HiddenGames
from app.core.interactions import InteractionStore
from app.core.log import configure as configure_logging
from app.core.player_rows import open_player_rows
from app.core.settings import Settings
from app.core.store import ModelStore
from app.fast_lane import FastLane
from app.live_model import LiveModel
from app.players import Players
from app.recommending import Recommending
from app.routes import documentation, games, health, hidden_games, interactions, labels, recommend
from app.trends import Trends

REFRESH_SECONDS = 2.0

log = structlog.get_logger(__name__)

_DESCRIPTION = """
Recommends games to players from what they play.

The catalogue's data and images come from [RAWG](https://rawg.io/); wherever you show a game, show its `rawg_url`.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without `settings` they are read from the environment."""
    settings = settings or Settings.load()
    configure_logging(settings)
    app = FastAPI(
        title="Game recommender",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    database = Database(settings.database)
    app.state.database = database
    app.state.interactions = InteractionStore(database)
    app.state.hidden_games = HiddenGames(database)
    app.state.trends = Trends(database)
    app.state.live_model = LiveModel(ModelStore(settings.model_store))
    app.state.players = Players(open_player_rows(database.url), app.state.interactions)
    app.state.recommending = Recommending(app.state.live_model, app.state.players)
    app.add_middleware(FastLane, recommending=app.state.recommending)
    exception_handlers.install(app)
    routes = (recommend, interactions, hidden_games, games, labels, health)  # `/games/hidden` before `/games/{game_id}`
    for route in routes:
        app.include_router(route.router)
    documentation.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    database: Database = app.state.database
    await _keep_up(app.state)
    watching = asyncio.create_task(_watch(app.state))
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    await app.state.players.close()
    database.close()


async def _watch(state: State) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await _keep_up(state)
        except Exception:  # a bug, and no reason to stop looking for the next model
            log.exception("the model could not be refreshed")


async def _keep_up(state: State) -> None:
    """Take over what changed elsewhere, off the event loop: a newly published model, a database that is back."""
    await asyncio.to_thread(state.live_model.refresh)
    await state.players.refresh()
