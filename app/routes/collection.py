"""What became of the records that were collected last."""

import asyncio

from fastapi import APIRouter, Request

from app.collection_schemas import CollectionReport
from app.core.documents import RAWG_QUOTA, VALIDATION, Documents
from app.core.errors import DatabaseError
from app.exception_handlers import documented

router = APIRouter(prefix="/collection", tags=["training"])


@router.get("", summary="Look at the last collection", responses=documented(DatabaseError, inputs=False))
async def get_collection(request: Request) -> CollectionReport:
    """Tell how many of the records that the last run had were valid, what was wrong with the others, and RAWG's quota.

    A run of the starter catalogue has records, too. All rows set aside are in `DATA_DIR/validation.json` where it ran.
    """
    return await asyncio.to_thread(_report, request.app.state.documents)


def _report(documents: Documents) -> CollectionReport:
    return CollectionReport.of(documents.get(VALIDATION), documents.get(RAWG_QUOTA))
