"""The model versions: which there are, which one answers, and what their answers led to."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.answer_log import AnswerLog
from app.comparing import Comparing
from app.comparison_schemas import Comparison
from app.core.errors import (
    AnswerTooSlowError,
    ArtifactError,
    DatabaseError,
    StoreNotWritableError,
    VersionNotFoundError,
)
from app.core.outcomes import OutcomeStore
from app.core.store import ModelStore
from app.dependencies import MAX_N, MAX_OFFSET
from app.exception_handlers import documented
from app.live_model import LiveModel
from app.model_schemas import ModelDetail, ModelPage, ModelSummary, Rejected, Standing
from app.outcome_schemas import VersionOutcomes
from app.pace import Pace
from app.probation import Probation

router = APIRouter(prefix="/models", tags=["models"])

_NAME = "^[0-9A-Za-z._-]+$"

Version = Annotated[
    str,
    Path(
        max_length=64,
        pattern=_NAME,
        description="As `model_version` in an answer.",
        openapi_examples={"a version": {"value": "20261123T040000-123456"}},
    ),
]
Other = Annotated[
    str | None,
    Query(alias="with", max_length=64, pattern=_NAME, description="What it is compared with; else the current one."),
]
N = Annotated[int, Query(ge=1, le=MAX_N, description="How many versions to list.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many newer versions to pass over first.")]


@router.get("", summary="List the model versions", responses=documented())
async def list_models(request: Request, n: N = 10, offset: Offset = 0) -> ModelPage:
    """List the versions in the model store, the newest first."""
    return await asyncio.to_thread(_page, request.app.state.models, n, offset)


@router.get("/{version}", summary="Get one model version", responses=documented(VersionNotFoundError, ArtifactError))
async def get_model(version: Version, request: Request) -> ModelDetail:
    """Describe a version with everything that is known of it."""
    return await asyncio.to_thread(_detail, request, version)


@router.get(
    "/{version}/compare",
    summary="Compare two model versions",
    responses=documented(VersionNotFoundError, ArtifactError, AnswerTooSlowError),
)
async def compare_models(version: Version, request: Request, other: Other = None) -> Comparison:
    """Tell what would change if a version answered in the place of another, which is the current one unless named.

    Up to 200 players whom both know are asked for in both, with what `version` knows of them. It takes seconds for
    large models; what is not there in time is there when it is asked for again.
    """
    comparing: Comparing = request.app.state.comparing
    return Comparison.of(await comparing.compare(version, other))


@router.post(
    "/{version}/activate",
    summary="Answer from a model version",
    responses=documented(VersionNotFoundError, ArtifactError, StoreNotWritableError),
)
async def activate_model(version: Version, request: Request) -> ModelDetail:
    """Make a version the current one, whether newer or older; one that was taken back is no longer marked so.

    It is checked whole first, and refused where it is broken or cannot answer. The worker that is asked answers from it
    right away, all others within two seconds. An older version is not watched as a new one is: it stays.
    """
    return await asyncio.to_thread(_activate, request, version)


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


def _page(store: ModelStore, n: int, offset: int) -> ModelPage:
    versions = store.versions()
    found = [_summary(store, standing) for standing in _standings(store, versions[offset : offset + n])]
    return ModelPage(total=len(versions), models=found)


def _summary(store: ModelStore, standing: Standing) -> ModelSummary:
    try:
        return ModelSummary.of(standing, store.manifest(standing.version))
    except (ArtifactError, VersionNotFoundError) as broken:  # the latter where it was removed just now
        return ModelSummary.broken(standing, str(broken))


def _detail(request: Request, version: str) -> ModelDetail:
    store: ModelStore = request.app.state.models
    manifest = store.manifest(version)
    [standing] = _standings(store, [version])
    probation: Probation = request.app.state.probation
    return ModelDetail.of(standing, manifest, store.report(version), probation.progress(version))


def _activate(request: Request, version: str) -> ModelDetail:
    store: ModelStore = request.app.state.models
    live: LiveModel = request.app.state.live_model
    live.try_out(version)
    store.activate(version, Pace())
    live.refresh()
    return _detail(request, version)


def _standings(store: ModelStore, versions: list[str]) -> list[Standing]:
    rejections = store.rejections()
    try:
        current, before = store.current_version(), store.predecessor()
    except ArtifactError:  # a broken pointer names none
        current = before = None
    return [
        Standing(
            version=version,
            is_current=version == current,
            is_predecessor=version == before,
            rejected=Rejected.of(rejections[version]) if version in rejections else None,
        )
        for version in versions
    ]


def _check(version: str, models: ModelStore) -> None:
    if version not in models.versions():
        raise VersionNotFoundError(
            f"There is no version {version!r} in the model store, and no answer of it in the log."
        )
