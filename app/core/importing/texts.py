"""The project's own columns as text: CSV with a header, and JSONL with an object on each line."""

import csv
import time
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from app.core.errors import ImportFailedError
from app.core.importing.reading import Read, check_columns, lines, read_row


def read_csv(file: BinaryIO, name: str) -> Iterator[Read]:
    """Read a CSV file whose first line names the columns, in any order."""
    now = time.time()
    rows = csv.reader(lines(file, name))
    try:
        columns = [column.strip().lower() for column in next(rows, [])]
        check_columns(columns, name)
        for row in rows:
            if len(row) > len(columns):
                yield Read(file.tell(), rows.line_num, reason="more fields than the header names")
            elif row:  # one that is too short lacks what stands behind
                yield read_row(file.tell(), rows.line_num, dict(zip(columns, row, strict=False)), now)
    except csv.Error as broken:
        raise ImportFailedError(f"{name} is no CSV file: line {rows.line_num}: {broken}.") from broken


def read_jsonl(file: BinaryIO, name: str) -> Iterator[Read]:
    """Read a file with a JSON object on each line."""
    now = time.time()
    for number, line in enumerate(lines(file, name), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if isinstance(row, dict):
            yield read_row(file.tell(), number, row, now)
        else:
            yield Read(file.tell(), number, reason="the line is no JSON object")
