"""`POST /import` and `GET /export`: everything that players did, in and out as one file."""

from collections.abc import AsyncIterator, Generator
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, Literal, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.core.errors import DatabaseError, ImportFailedError, ImportTooLargeError, ModelNotLoadedError
from app.core.exporting import CHUNKS
from app.core.importing.formats import Format
from app.core.importing.importer import Source, import_file
from app.core.importing.summary import ImportSummary
from app.core.interactions import InteractionStore
from app.core.settings import Settings
from app.core.titles import Titles
from app.dependencies import Counted
from app.exception_handlers import documented
from app.live_model import LiveModel
from app.schemas import Imported
from app.tally import By

router = APIRouter(tags=["transfer"])

_MEGABYTE = 1_000_000
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
# Of the formats that are taken only the simplest can be put into a schema whose every text can be imported.
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {
                "schema": {"type": "string", "pattern": "^user_id,game_id\\n([0-9A-Za-z]{1,40},[1-9][0-9]{0,17}\\n)+$"},
                "example": "user_id,game_id,hours,rating,at\nzoe,4200,12.5,4.5,2026-01-31T20:15:00Z\n",
            },
        },
    }
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            "text/csv": {"example": "user_id,game_id,kind,hours,rating,at\nzoe,4200,play,12.5,,2026-01-31T20:15:00Z\n"},
            "application/x-ndjson": {"example": '{"user_id":"zoe","game_id":4200,"kind":"play","hours":12.5}\n'},
        },
    }
}
# Not in the schema either: a body that fits it and another format could not be imported. The description has it.
WrittenAs = Annotated[Format | None, Query(alias="format", include_in_schema=False)]


@router.post(
    "/import",
    summary="Import a file of interactions",
    responses=documented(ImportFailedError, ImportTooLargeError, ModelNotLoadedError, DatabaseError),
    openapi_extra=_BODY,
)
async def import_interactions(request: Request, tally: Counted, written_as: WrittenAs = None) -> Imported:
    """Write the rows of a file that are valid, and answer when that is done; its content type does not matter.

    The body is the file itself: CSV, JSONL or Parquet in the columns `user_id`, `game_id`, `kind`, `hours`, `rating`,
    `at`, `event_id`, of which the first two are enough; or the data set steam-200k, whose titles are looked up in the
    catalogue. The format is seen from the file, or told by `?format=` (`csv`, `jsonl`, `parquet`, `steam-200k`). A file
    that is sent twice counts once, and one whose import was interrupted goes on where it stopped.
    """
    settings: Settings = request.app.state.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # The file has no name, so a crash leaves nothing of it.
    with cast("BinaryIO", TemporaryFile(dir=settings.data_dir)) as file:
        await _receive(request, file, settings.import_max_mb)
        summary = await run_in_threadpool(_import, request, Source(file, "The file", written_as))
    tally.wrote(summary.written, By.IMPORT)
    return Imported.of(summary)


@router.get(
    "/export",
    summary="Export all interactions",
    response_class=StreamingResponse,
    responses={**documented(DatabaseError), **_FILE},
)
async def export_interactions(
    request: Request,
    written_as: Annotated[Literal["csv", "jsonl"], Query(alias="format", description="How to write it.")] = "csv",
) -> StreamingResponse:
    """Answer with everything that players did, one row for each player, game and kind.

    What `POST /import` makes of the file is the same again.
    """
    store: InteractionStore = request.app.state.interactions
    chunks = cast("Generator[bytes]", CHUNKS[written_as](store))
    first = await run_in_threadpool(next, chunks, b"")  # a database that is away is told while an error can be
    return StreamingResponse(
        _all(first, chunks),
        media_type=_MEDIA_TYPES[written_as],
        headers={"Content-Disposition": f'attachment; filename="interactions.{written_as}"'},
    )


async def _all(first: bytes, chunks: Generator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        while chunk := await run_in_threadpool(next, chunks, b""):
            yield chunk
    finally:
        chunks.close()


async def _receive(request: Request, file: BinaryIO, most: int) -> None:
    """Write the body to a file; raises `ImportTooLargeError` beyond `most` megabytes."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most * _MEGABYTE:
            raise ImportTooLargeError(
                f"The file has more than {most} MB (IMPORT_MAX_MB): cut it, or use `python -m training import`."
            )
        await run_in_threadpool(file.write, chunk)


def _import(request: Request, source: Source) -> ImportSummary:
    live: LiveModel = request.app.state.live_model
    store: InteractionStore = request.app.state.interactions
    return import_file(source, store, lambda: Titles(live.loaded.recommender.catalogue))
