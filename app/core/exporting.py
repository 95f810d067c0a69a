"""Everything that players did, in the columns that an import takes.

The columns `event_id` and `accumulate` are not among them: they belong to what was sent, and what is kept is what that
came to.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import orjson

from app.core.errors import ExportFailedError
from app.core.files import replacing
from app.core.interactions import InteractionStore, Kind, meant_by

_ROWS_AT_ONCE = 5_000


class Exported(NamedTuple):
    """One row, its values as text and numbers; `at` is an ISO 8601 time in UTC."""

    user_id: str
    game_id: int
    kind: str
    hours: float | None
    rating: float | None
    at: str | None


def rows(store: InteractionStore) -> Iterator[Exported]:
    """Read all rows, ordered by player, game and kind."""
    for user_id, game_id, slot, value, at in store.rows():
        kind, amount = meant_by(slot, value)
        played, rated = (amount if kind is one else None for one in (Kind.PLAY, Kind.RATING))
        yield Exported(user_id, game_id, kind.value, played, rated, _time(at))


def csv_chunks(store: InteractionStore) -> Iterator[bytes]:
    """Write CSV in pieces; the first begins with the header."""
    batches = _batches(store)
    yield _csv([Exported._fields, *next(batches, [])])
    yield from map(_csv, batches)


def jsonl_chunks(store: InteractionStore) -> Iterator[bytes]:
    """Write an object a line, without what is not known, in pieces."""
    for batch in _batches(store):
        yield b"".join(
            orjson.dumps({name: value for name, value in row._asdict().items() if value is not None}) + b"\n"
            for row in batch
        )


CHUNKS: Mapping[str, Callable[[InteractionStore], Iterator[bytes]]] = {"csv": csv_chunks, "jsonl": jsonl_chunks}


def export_file(store: InteractionStore, path: Path) -> None:
    """Write a file in the format that its name ends with, whole or not at all.

    Raises `ExportFailedError` for another ending, and for a Parquet file where pyarrow is not installed.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending == "parquet":
        _write_parquet(store, path)
        return
    if ending not in CHUNKS:
        raise ExportFailedError(f"{path} must end with .csv, .jsonl or .parquet, which says how it is to be written.")
    with replacing(path) as aside, aside.open("wb") as file:
        file.writelines(CHUNKS[ending](store))


def _write_parquet(store: InteractionStore, path: Path) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415  # a library of training, which the service may lack
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ExportFailedError("pyarrow, which writes Parquet files, is not installed here: use .csv.") from None
    types = (pa.string(), pa.int64(), pa.string(), pa.float64(), pa.float64(), pa.string())
    schema = pa.schema(list(zip(Exported._fields, types, strict=True)))
    with replacing(path) as aside, pq.ParquetWriter(aside, schema) as writer:
        for batch in _batches(store):
            columns = [pa.array(column, kind) for column, kind in zip(zip(*batch, strict=True), types, strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _batches(store: InteractionStore) -> Iterator[list[Exported]]:
    found = rows(store)
    while batch := list(islice(found, _ROWS_AT_ONCE)):
        yield batch


def _csv(lines: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
