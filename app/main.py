"""The application: everything is built here, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from app import exception_handlers, security
from app.answer_log import AnswerLog
from app.bounds import Bounds
from app.comparing import Comparing
from app.core import __version__
from app.core.database import Database
from app.core.documents import Documents
from app.core.hidden_games import HiddenGames
from app.core.interactions import InteractionStore
from app.core.keys import KeyStore
from app.core.log import configure as configure_logging
from app.core.notices import Notices
from app.core.outcomes import OutcomeStore
from app.core.player_rows import open_player_rows
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.telling import tell
from app.exception_handlers import documented
from app.fast_lane import FastLane
from app.live_model import LiveModel
from app.loop_metrics import READ_SECONDS as LOOP_SECONDS
from app.loop_metrics import LoopMetrics
from app.page_session import PageSessions
from app.pages import Pages
from app.players import Players
from app.probation import Probation
from app.recommending import Recommending
from app.request_counts import Counting, RequestCounts
from app.routes import (
    collection,
    documentation,
    games,
    health,
    hidden_games,
    interactions,
    labels,
    metrics,
    models,
    page_writes,
    pages,
    player_games,
    recommend,
    retraining,
    transfer,
)
from app.run_watch import RunWatch
from app.scheduler import Scheduler
from app.security import READ_SECONDS, Guard
from app.stopping import Stopping
from app.tally import Tally
from app.telemetry import PREFIX, Telemetry
from app.trends import Trends

REFRESH_SECONDS = 2.0

_UNBOUNDED = ("/import", "/export")  # they have bounds of their own

_DESCRIPTION = """
Recommends games to players from what they play.

The catalogue's data and images come from [RAWG](https://rawg.io/); wherever you show a game, show its `rawg_url`.
"""


class Service(FastAPI):
    """The application, with a lane beside the framework's own way for the request that comes most."""

    fast_lane: FastLane
    stopping: Stopping
    _requests: RequestCounts
    _counting: Counting

    def count(self, requests: RequestCounts) -> None:
        """Count every request, however it is answered."""
        self._requests = requests
        self._counting = Counting(super().__call__, requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began = perf_counter()
        send = self.stopping.closing(send)
        if await self.fast_lane.answers(scope, send):
            self._requests.record_plain(perf_counter() - began)
        else:
            await self._counting(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without `settings` they are read from the environment."""
    settings = settings or Settings.load()
    configure_logging(settings)
    app = Service(
        title="Game recommender",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.stopping = app.state.stopping = Stopping(settings.stop_delay)
    database = Database(settings.database)
    app.state.database = database
    app.state.interactions = InteractionStore(database)
    app.state.hidden_games = HiddenGames(database)
    app.state.trends = Trends(database)
    app.state.outcomes = OutcomeStore(database)
    app.state.answer_log = AnswerLog(app.state.outcomes, settings.answer_log_sample, settings.answer_log_days)
    tally = Tally()
    app.state.models = ModelStore(settings.model_store)
    app.state.live_model = LiveModel(app.state.models)
    app.state.comparing = Comparing(app.state.models, app.state.live_model)
    app.state.probation = Probation(
        settings, app.state.live_model, app.state.models, tally, app.state.outcomes, Notices(database)
    )
    requests = RequestCounts()
    app.state.loop_metrics = LoopMetrics(PREFIX, database)
    app.state.telemetry = Telemetry(
        tally, requests, app.state.live_model, lambda: app.state.probation.rollbacks, app.state.loop_metrics
    )
    app.state.players = Players(open_player_rows(database.url), app.state.interactions)
    app.state.recommending = Recommending(
        app.state.live_model, app.state.players, app.state.answer_log, tally, settings.answers_remembered
    )
    app.state.documents = Documents(database)
    app.state.page_sessions = PageSessions(app.state.documents, settings, app.state.live_model)
    app.state.runs = RunStore(database)
    app.state.run_watch = RunWatch(app.state.runs)
    app.state.scheduler = Scheduler(
        settings, database, app.state.models, partial(tell, settings, database, app.state.models)
    )
    exception_handlers.install(app, tally)
    refusals = documented(*security.REFUSALS, inputs=False)
    # `/games/hidden` before `/games/{game_id}`, and `/users/{user_id}/games` before `/users/{user_id}`
    for router in (transfer.router, models.router, retraining.router, collection.router, hidden_games.router):
        app.include_router(router, dependencies=[security.ADMINISTERS], responses=refusals)
    for router in (recommend.router, games.router, labels.router, player_games.router):
        app.include_router(router, dependencies=[security.READS], responses=refusals)
    app.include_router(interactions.router, responses=refusals)
    app.include_router(page_writes.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.state.pages = Pages()
    app.include_router(pages.router)
    documentation.install(app)
    security.install(app, Guard(KeyStore(app.state.database), settings))
    app.add_middleware(
        Bounds, max_body=settings.max_body_kb * 1024, seconds=settings.request_timeout, unbounded=_UNBOUNDED
    )
    app.fast_lane = FastLane(app.state.recommending, app.state.guard)
    app.count(requests)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    database: Database = app.state.database
    guard: Guard = app.state.guard
    await asyncio.to_thread(guard.refresh)
    await _keep_up(app.state)
    scheduler: Scheduler = app.state.scheduler
    scheduler.every(REFRESH_SECONDS, "keep up", partial(_keep_up, app.state))
    scheduler.every_in_a_thread(READ_SECONDS, "keys", guard.refresh)
    scheduler.every_in_a_thread(LOOP_SECONDS, "loop metrics", app.state.loop_metrics.refresh)
    scheduler.start()
    app.state.answer_log.start()
    stopping: Stopping = app.state.stopping
    with stopping.heeded(scheduler.stop, app.state.run_watch.close, app.state.comparing.close):
        yield
    await scheduler.stop()
    app.state.telemetry.flush()
    await app.state.answer_log.close()
    await app.state.players.close()
    database.close()


async def _keep_up(state: State) -> None:
    """Take over what changed elsewhere, off the event loop: a newly published model, a database that is back."""
    await asyncio.to_thread(_look_at_models, state)
    await state.players.refresh()
    await asyncio.to_thread(state.page_sessions.refresh)


def _look_at_models(state: State) -> None:
    state.live_model.refresh()
    state.probation.check()
    state.telemetry.flush()
