"""Whether the process works, and whether it can answer."""

import os
import time

from fastapi import APIRouter, Request

from app.core.errors import ModelNotLoadedError, ServiceStoppingError
from app.dependencies import Model
from app.exception_handlers import documented
from app.schemas import Live, Ready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Does the process work?")
async def live() -> Live:
    """Answer at all; restart the process when this does not."""
    return Live()


@router.get(
    "/ready",
    summary="Is a model loaded?",
    responses=documented(ModelNotLoadedError, ServiceStoppingError, inputs=False),
)
async def ready(model: Model, request: Request) -> Ready:
    """Name the live model of the worker that answers; 503 while no traffic is to be sent here.

    That is while there is no model, and once the service was told to stop.
    """
    if request.app.state.stopping.begun:
        raise ServiceStoppingError("This service was told to stop. Send requests to another, or again in a moment.")
    return Ready(
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        games=model.manifest.counts.games,
        players=model.manifest.counts.players,
        model_age_seconds=max(time.time() - model.trained_at, 0.0),
        worker=os.getpid(),
    )
