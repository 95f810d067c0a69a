"""The formats that can be imported."""

from enum import StrEnum


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    STEAM_200K = "steam-200k"
