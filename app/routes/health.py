"""Whether the process works, and whether it can answer."""

import os
import time

from fastapi import APIRouter

from app.core.errors import ModelNotLoadedError
from app.dependencies import Model
from app.exception_handlers import documented
from app.schemas import Live, Ready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Does the process work?")
async def live() -> Live:
    """Answer at all; restart the process when this does not."""
    return Live()


@router.get("/ready", summary="Is a model loaded?", responses=documented(ModelNotLoadedError, inputs=False))
async def ready(model: Model) -> Ready:
    """Name the live model of the worker that answers; 503 while there is none, so that no traffic is sent here."""
    return Ready(
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        games=model.manifest.counts.games,
        players=model.manifest.counts.players,
        model_age_seconds=max(time.time() - model.trained_at, 0.0),
        worker=os.getpid(),
    )
