"""The project's own columns as Parquet, where pyarrow is installed; the service can do without."""

import time
from collections.abc import Iterator
from typing import Any, BinaryIO

from app.core.errors import ImportFailedError
from app.core.importing.reading import Read, check_columns, read_row
from app.core.rows import COLUMNS

_ROWS_AT_ONCE = 5_000


def read_parquet(file: BinaryIO, name: str) -> Iterator[Read]:
    """Read a Parquet file; a time without a zone is in UTC."""
    try:
        import pyarrow as pa  # noqa: PLC0415  # a library of training, which the service may lack
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ImportFailedError(
            f"{name} is a Parquet file, and pyarrow, which reads those, is not installed here: import it with "
            "`python -m training import`, or write it as CSV or JSONL."
        ) from None
    try:
        yield from _rows(pq.ParquetFile(file), name, pa, _size(file))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as broken:
        raise ImportFailedError(f"{name} is no Parquet file that can be read: {_first_line(broken)}.") from broken


def _rows(parquet: Any, name: str, pa: Any, size: int) -> Iterator[Read]:
    now = time.time()
    columns = {column.strip().lower(): column for column in parquet.schema_arrow.names}
    check_columns([column.strip().lower() for column in parquet.schema_arrow.names], name)
    wanted = [column for column in COLUMNS if column in columns]
    number, rows = 0, parquet.metadata.num_rows
    for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=[columns[column] for column in wanted]):
        values = [_values(batch.column(columns[column]), pa) for column in wanted]
        for row in zip(*values, strict=True):
            number += 1
            yield read_row(size * number // rows, number, dict(zip(wanted, row, strict=True)), now)


def _values(column: Any, pa: Any) -> list[object]:
    # Python's times have microseconds, and a zone's name may be one that this machine does not know.
    is_time = pa.types.is_timestamp(column.type)
    found: list[object] = (column.cast(pa.timestamp("us", "UTC"), safe=False) if is_time else column).to_pylist()
    return found


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
