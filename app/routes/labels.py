"""What games can be filtered by: `GET /genres`, `/platforms` and `/tags`."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.errors import ModelNotLoadedError
from app.core.labels import Labels
from app.dependencies import Model, Offset
from app.exception_handlers import documented
from app.schemas import Label, LabelPage

router = APIRouter(tags=["games"], responses=documented(ModelNotLoadedError))

MAX_LABELS_SHOWN = 1000

Count = Annotated[int, Query(ge=1, le=MAX_LABELS_SHOWN, description="How many to answer with.")]


@router.get("/genres", summary="List the genres")
async def list_genres(model: Model, n: Count = 100, offset: Offset = 0) -> LabelPage:
    """List the genres, those with the most games first."""
    return _page(model.recommender.facets.genre, n, offset)


@router.get("/platforms", summary="List the platforms")
async def list_platforms(model: Model, n: Count = 100, offset: Offset = 0) -> LabelPage:
    """List the platforms, those with the most games first."""
    return _page(model.recommender.facets.platform, n, offset)


@router.get("/tags", summary="List the tags")
async def list_tags(model: Model, n: Count = 100, offset: Offset = 0) -> LabelPage:
    """List the tags, those with the most games first."""
    return _page(model.recommender.facets.tag, n, offset)


def _page(labels: Labels, n: int, offset: int) -> LabelPage:
    return LabelPage(
        total=len(labels),
        labels=[Label(name=name, games=games) for name, games in labels.most_common(n, offset)],
    )
