"""The model versions: what their answers led to."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request

from app.answer_log import AnswerLog
from app.core.errors import DatabaseError, VersionNotFoundError
from app.core.outcomes import OutcomeStore
from app.core.store import ModelStore
from app.exception_handlers import documented
from app.outcome_schemas import VersionOutcomes

router = APIRouter(prefix="/models", tags=["models"])

Version = Annotated[
    str,
    Path(
        max_length=64,
        pattern="^[0-9A-Za-z._-]+$",
        description="As `model_version` in an answer.",
        openapi_examples={"a version": {"value": "20261123T040000-123456"}},
    ),
]


@router.get(
    "/{version}/outcomes",
    summary="Count what a version's answers led to",
    responses=documented(VersionNotFoundError, DatabaseError),
)
async def get_outcomes(version: Version, request: Request) -> VersionOutcomes:
    """Tell how many answers a model version gave, and what players then did with the games in them.

    An interaction counts here when it carries the `recommendation_id` of its answer. An answer is counted within a few
    seconds; all counts and rates are of the answers that are logged and kept, the same ones throughout.
    """
    store: OutcomeStore = request.app.state.outcomes
    log: AnswerLog = request.app.state.answer_log
    found = await asyncio.to_thread(store.of_version, version)
    if not found.answers:
        await asyncio.to_thread(_check, version, request.app.state.models)
    return VersionOutcomes.of(version, found, log.lost)


def _check(version: str, models: ModelStore) -> None:
    if version not in models.versions():
        raise VersionNotFoundError(
            f"There is no version {version!r} in the model store, and no answer of it in the log."
        )
