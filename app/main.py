"""The application: everything is built here, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI

from app import exception_handlers
from app.core import __version__
from app.core.database import Database
from app.core.interactions import InteractionStore
from app.core.log import configure as configure_logging
from app.core.settings import Settings
from app.core.store import ModelStore
from app.live_model import LiveModel
from app.routes import documentation, games, health, recommend, transfer

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
    app.state.settings = settings
    app.state.interactions = InteractionStore(Database(settings.database))
    app.state.live_model = LiveModel(ModelStore(settings.model_store))
    exception_handlers.install(app)
    for router in (recommend.router, games.router, transfer.router, health.router):
        app.include_router(router)
    documentation.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    live_model: LiveModel = app.state.live_model
    database: Database = app.state.interactions.database
    database.migrate()
    live_model.refresh()
    watching = asyncio.create_task(_watch(live_model))
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    database.close()


async def _watch(live_model: LiveModel) -> None:
    """Take over a newly published model within seconds, and load it off the event loop."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await asyncio.to_thread(live_model.refresh)
        except Exception:  # a bug, and no reason to stop looking for the next model
            log.exception("the model could not be refreshed")
