"""One reader for each format, and which of the formats a file has."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.core.importing.formats import Format
from app.core.importing.parquet import read_parquet
from app.core.importing.reading import Read
from app.core.importing.steam_200k import is_steam_200k, read_steam_200k
from app.core.importing.texts import read_csv, read_jsonl
from app.core.titles import Titles

_FIRST_BYTES = 10_000


def detect(file: BinaryIO) -> Format:
    """Tell the format by how a file begins, and leave the file at its beginning."""
    file.seek(0)
    start = file.read(_FIRST_BYTES)
    file.seek(0)
    text = start.decode("utf-8-sig", errors="replace").lstrip()
    if start.startswith(b"PAR1"):
        return Format.PARQUET
    if text.startswith("{"):
        return Format.JSONL
    return Format.STEAM_200K if is_steam_200k(text.partition("\n")[0]) else Format.CSV


def read(file: BinaryIO, name: str, written_as: Format, titles: Callable[[], Titles]) -> Iterator[Read]:
    """Read what each row of a file comes to; `titles` is asked where a format has titles instead of ids.

    Raises `ImportFailedError`, where the file is not of this format from some row on.
    """
    if written_as is Format.STEAM_200K:
        return read_steam_200k(file, name, titles())
    readers = {Format.CSV: read_csv, Format.JSONL: read_jsonl, Format.PARQUET: read_parquet}
    return readers[written_as](file, name)
