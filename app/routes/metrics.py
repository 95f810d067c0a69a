"""What Prometheus reads."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.telemetry import Telemetry

router = APIRouter(tags=["health"])

_EXAMPLE = """# HELP game_recommender_model_swaps_total Models that took another's place.
# TYPE game_recommender_model_swaps_total counter
game_recommender_model_swaps_total 3.0
"""
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Metrics in Prometheus' text format",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.get("/metrics", summary="Read the metrics", response_class=Response, responses=_TEXT)
async def read_metrics(request: Request) -> Response:
    """Tell the metrics of all workers of this service, for Prometheus; as `/health`, without a key and a limit.

    They hold no names of players and no keys. What a worker counts is here within seconds.
    """
    telemetry: Telemetry = request.app.state.telemetry
    return Response(await asyncio.to_thread(telemetry.render), media_type=CONTENT_TYPE_LATEST)
