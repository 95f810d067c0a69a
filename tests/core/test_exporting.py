"""The store as a file, and back again."""

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import exporting
from app.core.errors import ExportFailedError
from app.core.exporting import CHUNKS, export_file
from app.core.importing.importer import Source, import_file
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.rows import KINDS
from app.core.titles import Titles

NO_CONTROLS = st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"])
ODD = st.sampled_from([",", '"', " ", "'", "\ufeff", "\u2028", "\x85", "{", "#", "=1+1", "NULL", "nan", "7", "é", "😀"])
USERS = st.lists(st.one_of(ODD, NO_CONTROLS), min_size=1, max_size=8).map("".join).map(lambda name: name[:128])
TIMES = st.none() | st.integers(0, 1_700_000_000_000_000).map(lambda micros: micros / 1e6)
VALUES = {Kind.PLAY: st.none() | st.floats(0, 1e6), Kind.RATING: st.floats(0, 5)}
INTERACTIONS = st.sampled_from([*KINDS.values()]).flatmap(
    lambda kind: st.builds(
        Interaction, USERS, st.integers(1, 2**63 - 1), st.just(kind), VALUES.get(kind, st.none()), TIMES
    )
)


def no_titles() -> Titles:
    raise AssertionError("no title stands in an export")


@settings(deadline=None, max_examples=30)
@given(st.lists(INTERACTIONS, min_size=1, max_size=20))
def test_an_export_comes_back_as_it_was(migrated_file: Path, written: list[Interaction]):
    with TemporaryDirectory() as folder:
        for name in ("one", "0", "1", "2"):
            shutil.copy(migrated_file, f"{folder}/{name}.db")
        store = InteractionStore.open(f"sqlite:///{folder}/one.db")
        store.write(written)
        for number, ending in enumerate(("csv", "jsonl", "parquet")):
            path = Path(folder) / f"out.{ending}"
            export_file(store, path)
            again = InteractionStore.open(f"sqlite:///{folder}/{number}.db")
            with path.open("rb") as file:
                import_file(Source(file, str(path)), again, no_titles)
            assert list(again.rows()) == list(store.rows())
            first = path.read_bytes()
            export_file(again, path)
            assert path.read_bytes() == first
            again.database.close()
        store.database.close()


@pytest.fixture
def store(tmp_path: Path) -> InteractionStore:
    return InteractionStore.open(f"sqlite:///{tmp_path}/interactions.db")


@pytest.fixture
def filled(store: InteractionStore) -> InteractionStore:
    store.write(
        [
            Interaction("zoë", 4200, Kind.PLAY, 12.5, 86_400.0),
            Interaction("zoë", 4200, Kind.RATING, 4.5),
            Interaction("zoë", 7, Kind.DISLIKE, at=0.25),
        ]
    )
    return store


def test_the_columns(filled: InteractionStore):
    assert b"".join(CHUNKS["csv"](filled)).decode() == (
        "user_id,game_id,kind,hours,rating,at\n"
        "zoë,7,dislike,,,1970-01-01T00:00:00.250000Z\n"
        "zoë,4200,play,12.5,,1970-01-02T00:00:00Z\n"
        "zoë,4200,rating,,4.5,\n"
    )
    assert b"".join(CHUNKS["jsonl"](filled)).decode().splitlines()[1:] == [
        '{"user_id":"zoë","game_id":4200,"kind":"play","hours":12.5,"at":"1970-01-02T00:00:00Z"}',
        '{"user_id":"zoë","game_id":4200,"kind":"rating","rating":4.5}',
    ]


def test_an_empty_store(store: InteractionStore, tmp_path: Path):
    assert b"".join(CHUNKS["csv"](store)) == b"user_id,game_id,kind,hours,rating,at\n"
    assert b"".join(CHUNKS["jsonl"](store)) == b""
    export_file(store, tmp_path / "x.parquet")


def test_the_store_is_read_in_pieces(filled: InteractionStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "_ROWS_AT_ONCE", 1)

    pieces = list(CHUNKS["csv"](filled))
    assert len(pieces) == 3
    monkeypatch.undo()
    assert b"".join(pieces) == b"".join(CHUNKS["csv"](filled))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_failed_export_leaves_the_file_that_was_there(
    filled: InteractionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
):
    path = tmp_path / "folder" / f"out.{ending}"
    path.parent.mkdir()
    path.write_text("before")

    def broken(at: float | None) -> str:
        raise OSError(28, os.strerror(28), str(at))

    monkeypatch.setattr(exporting, "_time", broken)
    with pytest.raises(OSError, match="No space left"):
        export_file(filled, path)
    assert path.read_text() == "before"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_the_ending_says_how(store: InteractionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for wrong in ("out", "out.xlsx"):
        with pytest.raises(ExportFailedError, match=r"must end with \.csv, \.jsonl or \.parquet"):
            export_file(store, tmp_path / wrong)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportFailedError, match="pyarrow, which writes Parquet files, is not installed"):
        export_file(store, tmp_path / "out.parquet")
