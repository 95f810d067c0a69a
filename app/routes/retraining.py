"""Training runs: asked for, followed, and stopped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.core.errors import DatabaseError, RunEndedError, RunInProgressError, RunNotFoundError
from app.core.run import Run, Trigger
from app.core.runs import RunStore
from app.dependencies import MAX_N, MAX_OFFSET
from app.exception_handlers import documented, path_of
from app.retraining_schemas import RetrainRequest, RunDetail, RunPage, RunSummary
from app.run_watch import Feed, RunWatch

router = APIRouter(prefix="/retrain", tags=["training"])

_AS_SCHEDULED = RetrainRequest()
_LOCATION = {"Location": {"description": "The run.", "schema": {"type": "string"}}}
_QUEUED: dict[int | str, dict[str, Any]] = {202: {"headers": _LOCATION}}


async def _runs(request: Request) -> RunStore:
    runs: RunStore = request.app.state.runs
    return runs


Runs = Annotated[RunStore, Depends(_runs)]
RunId = Annotated[
    str,
    Path(
        max_length=64,
        pattern="^[0-9A-Za-z-]+$",
        description="As `run_id` in an answer.",
        openapi_examples={"a run": {"value": "20261126T040000-1f9c3a"}},
    ),
]


async def _feed(run_id: RunId, request: Request) -> AsyncIterator[Feed]:
    watch: RunWatch = request.app.state.run_watch
    with watch.watching(run_id) as feed:
        await feed.begun()
        yield feed


@router.post(
    "",
    status_code=202,
    summary="Ask for a training run",
    responses={**_QUEUED, **documented(RunInProgressError, DatabaseError)},
)
async def retrain(
    runs: Runs, response: Response, body: Annotated[RetrainRequest, Body()] = _AS_SCHEDULED
) -> RunSummary:
    """Queue a run: collect, validate, train, evaluate, publish; the model goes live unless it is worse.

    A process that can train takes it up within 2 seconds, be it this one or another on the same database. Follow it
    under the `Location`.
    """
    run = await asyncio.to_thread(_queue, runs, body)
    response.headers["Location"] = path_of(run.run_id)
    return RunSummary.of(run)


@router.get("", summary="List the training runs", responses=documented(DatabaseError))
async def list_runs(
    runs: Runs,
    n: Annotated[int, Query(ge=1, le=MAX_N, description="How many runs to answer with.")] = 10,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many newer runs to pass over first.")] = 0,
) -> RunPage:
    """List what was run, and what goes on or waits, the newest first."""
    total, found = await asyncio.to_thread(runs.newest, n, offset)
    return RunPage(total=total, runs=[RunSummary.of(run) for run in found])


@router.get("/{run_id}", summary="Follow a training run", responses=documented(RunNotFoundError, DatabaseError))
async def get_run(run_id: RunId, runs: Runs) -> RunDetail:
    """Tell how far a run is, or what came of it, and what it wrote last."""
    return RunDetail.whole(await asyncio.to_thread(runs.get, run_id))


@router.get(
    "/{run_id}/events",
    summary="Watch a training run",
    response_class=EventSourceResponse,
    responses=documented(RunNotFoundError, DatabaseError),
)
async def watch_run(feed: Annotated[Feed, Depends(_feed)]) -> AsyncIterator[RunDetail | ServerSentEvent]:
    """Stream a run as server-sent events: `run`, whose data is what `GET /retrain/{run_id}` answers.

    It comes at once, again whenever it has changed, at most twice a second, and a last time when the run has ended;
    with that the stream ends, too. In between there is a comment every 15 seconds. A stream that ends before the run
    has is to be opened anew: the service was stopped.
    """
    async for run in feed.changes():
        yield ServerSentEvent(event="run", raw_data=run)


@router.post(
    "/{run_id}/cancel",
    status_code=202,
    summary="Stop a training run",
    responses=documented(RunNotFoundError, RunEndedError, DatabaseError),
)
async def cancel_run(run_id: RunId, runs: Runs) -> RunSummary:
    """Ask a run to stop, which it does within seconds; one that waits is cancelled at once.

    A model that it has published by then stays, and the run has succeeded.
    """
    return RunSummary.of(await asyncio.to_thread(runs.cancel, run_id))


def _queue(runs: RunStore, body: RetrainRequest) -> Run:
    going_on = runs.going_on()
    if going_on is not None:
        raise RunInProgressError(going_on.run_id)
    return runs.queue(Trigger.REQUEST, body.options())
