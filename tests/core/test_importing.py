"""Files into the store."""

import io
import json
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.catalogue import Catalogue
from app.core.errors import ImportFailedError
from app.core.histories import Play
from app.core.importing import importer, reading, summary
from app.core.importing.formats import Format
from app.core.importing.importer import Source, import_file
from app.core.importing.summary import Distinct, ImportSummary
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.tables import imports
from app.core.titles import Titles
from tests.worlds import game

Row = tuple[str, int, int, float | None, float | None]


@pytest.fixture
def store(tmp_path: Path) -> InteractionStore:
    return InteractionStore.open(f"sqlite:///{tmp_path}/interactions.db")


def titles() -> Titles:
    names = {1: "Portal", 2: "Dota 2", 3: "Call of Duty: Black Ops"}
    return Titles(Catalogue.from_games(game(number, name) for number, name in names.items()))


def bring(store: InteractionStore, content: str | bytes, written_as: Format | None = None) -> ImportSummary:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return import_file(Source(file, "the.file", written_as), store, titles)


def places(store: InteractionStore) -> list[int]:
    with store.database.read() as connection:
        return list(connection.scalars(sa.select(imports.c.rows)))


def parquet(columns: dict[str, object]) -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_a_csv_file_with_its_columns_in_any_order(store: InteractionStore):
    found = bring(
        store,
        "\ufeffAt, game_id ,user_id,rating,hours,colour\n"
        "1970-01-02T00:00:00Z,4200,765611980000,4.5,12.5,red\n"
        '\n1970-01-03,13536,"a, b",,,\n',
    )

    assert list(store.stream()) == [
        Play("765611980000", 4200, 12.5, 4.5, 86_400.0),
        Play("a, b", 13536, None, None, 2 * 86_400.0),
    ]
    assert found.to_dict() == {
        "rows": 2,
        "players": 2,
        "games": 2,
        "went_on_at": 0,
        "set_aside_rows": 0,
        "set_aside": [],
        "unmatched_rows": 0,
        "unmatched": [],
    }
    assert places(store) == []


def test_a_bad_row_is_set_aside_with_its_line_and_reason(store: InteractionStore):
    found = bring(store, 'user_id,game_id,hours\ngood,1\n"two\nlines",1\nbad,1,2,3\nbad\n\ngood,2,1\n')

    assert list(store.stream()) == [Play("good", 1), Play("good", 2, 1.0)]
    assert found.set_aside == [
        (4, "user_id must have no control characters"),
        (5, "more fields than the header names"),
        (6, "game_id must be a whole number above 0, RAWG's id of the game"),
    ]


def test_jsonl(store: InteractionStore):
    bad = [
        "[1]",
        "nonsense",
        '{"user_id": "a", "game_id": NaN}',
        '{"user_id": "\\ud800", "game_id": 1}',
        '{"game_id": 1}',
    ]
    good = [{"user_id": "a", "game_id": 1, "hours": 2, "extra": []}, {"user_id": 5, "game_id": 2, "kind": "hide"}]
    found = bring(store, "\n".join([*map(json.dumps, good), "", *bad]))

    assert list(store.rows()) == [("5", 2, 5, None, None), ("a", 1, 1, 2.0, None)]
    assert found.set_aside == [
        *((line, "the line is no JSON object") for line in (4, 5, 6, 7)),
        (8, "user_id must have 1 to 128 characters"),
    ]


def test_parquet(store: InteractionStore):
    import datetime as dt  # noqa: PLC0415

    import pyarrow as pa  # noqa: PLC0415

    moment = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
    found = bring(
        store,
        parquet(
            {
                "Game_id": [1, 2, 0],
                "user_id": ["a", None, "c"],
                "at": pa.array([moment, None, None], pa.timestamp("ns", "Europe/Berlin")),
                "kind": ["like", None, None],
                "colour": [["red"], None, None],
            }
        ),
    )

    assert list(store.rows()) == [("a", 1, 3, 1.0, 86_400.0)]
    assert [line for line, _ in found.set_aside] == [2, 3]


def test_parquet_is_refused_clearly_where_pyarrow_is_missing(store: InteractionStore, monkeypatch: pytest.MonkeyPatch):
    content = parquet({"user_id": ["a"], "game_id": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ImportFailedError, match=r"the\.file is a Parquet file, and pyarrow, .* not installed here"):
        bring(store, content)


STEAM = [
    '7,"Portal",purchase,1.0,0',
    '7,"Portal",play,15.7,0',
    '7,"Portal",purchase,1.0,0',
    '7,"Dota 2",purchase,1.0,0',
    '7,"Dota 2",purchase,1.0,0',
    '7,"Call of Duty Black Ops - Multiplayer",play,50.5,0',
    '7,"Call of Duty Black Ops",play,9.5,0',
    '7,"Call of Duty Black Ops",play,9.5,0',
    '8,"Ricochet",purchase,1.0,0',
    '8,"Ricochet",play,0.2,0',
    "8,Portal,play,3,",
    '8,"Portal",sold,3,0',
    '8,"Portal",play,-3,0',
    '8,"",play,3,0',
    "8,what",
    "",
]


def test_steam_200k_as_it_is(store: InteractionStore):
    found = bring(store, "\n".join(STEAM))

    assert list(store.stream()) == [Play("7", 1, 15.7), Play("7", 2, 0.0), Play("7", 3, 60.0), Play("8", 1, 3.0)]
    assert (found.rows, len(found.players), len(found.games)) == (9, 2, 3)
    assert (found.unmatched_rows, dict(found.unmatched)) == (2, {"Ricochet": 2})
    assert found.set_aside == [
        (12, "the third field must be purchase or play"),
        (13, "hours must be a number from 0 to 1000000"),
        (14, "the title must have 1 to 200 characters"),
        (15, "the line must be user_id,title,purchase or play,hours,0"),
    ]

    before = list(store.rows())
    bring(store, "\n".join(STEAM))
    assert list(store.rows()) == before


def test_a_purchase_takes_no_hours_away(store: InteractionStore):
    store.write([Interaction("7", 1, Kind.PLAY, 99.0)])
    bring(store, '7,"Portal",purchase,1.0,0\n')

    assert list(store.stream()) == [Play("7", 1, 99.0)]


@pytest.mark.parametrize(
    ("content", "written_as", "message"),
    [
        ("", None, "the.file has no column user_id and no column game_id"),
        ("user_id;game_id\na;1\n", None, "has no column user_id and no column game_id; it must name the columns"),
        ("user_id,hours\na,1\n", None, "has no column game_id"),
        ("user_id,game_id,user_id\na,1,b\n", None, "has two columns user_id"),
        ("user_id,game_id\n", None, r"has no valid row\. *$"),
        ("user_id,game_id\n,1\n", None, "has no valid row; line 2: user_id must have"),
        (b"user_id,game_id\n\xff,1\n", None, "is no text in UTF-8: .* Nothing is imported"),
        (f'user_id,game_id\ngood,1\n"{"x" * 200_000}",1\n', None, "is no CSV file: line 3: field larger"),
        (f"7,Portal,play,1,0\n8,{'x' * 200_000},play,1,0\n", None, "is no CSV file: line 2: field larger"),
        ("7,Ricochet,play,1,0\n", None, "has no title of a game in the catalogue; the most frequent one is 'Ricochet'"),
        ("user_id,game_id\na,1\n", Format.PARQUET, "is no Parquet file that can be read"),
        (b"PAR1 and no more", None, "is no Parquet file that can be read"),
        ("user_id,game_id\na,1\n", Format.JSONL, "has no valid row; line 1: the line is no JSON object"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    store: InteractionStore, content: str | bytes, written_as: Format | None, message: str
):
    with pytest.raises(ImportFailedError, match=message):
        bring(store, content, written_as)
    assert (list(store.rows()), places(store)) == ([], [])


def test_a_line_without_an_end_does_not_fill_the_memory(store: InteractionStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "_LONGEST_LINE", 50)
    with pytest.raises(ImportFailedError, match="line 2 is longer than 50 characters"):
        bring(store, "user_id,game_id\n" + "x" * 51)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "ROWS_AT_ONCE", 10)


ROWS = [f"p{number % 7},{1 + number % 12},{number},e{number},true" for number in range(45)]
MANY = "\n".join(["user_id,game_id,hours,event_id,accumulate", *ROWS, ",bad,,,", ""])


@pytest.mark.usefixtures("small_batches")
def test_a_file_that_breaks_in_the_middle_keeps_the_batches_before(store: InteractionStore):
    broken = MANY.encode() + b"\xff,1,,,\n"

    with pytest.raises(
        ImportFailedError, match=r"is no text in UTF-8: behind line 0 is a byte 0xff\. Nothing is imported"
    ):
        bring(store, b"user_id,game_id\na,1\n\xff,1\n")
    # The text is decoded in pieces, so what stands close before the break is lost with it.
    with pytest.raises(ImportFailedError, match=r"is no text in UTF-8: .* Its first 3,270 rows are imported\."):
        bring(store, b"user_id,game_id\n" + b"aa,1\n" * 3276 + broken)
    assert places(store) == [3270]


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_import_goes_on_and_ends_with_the_same_rows(store: InteractionStore, tmp_path: Path):
    unbroken = InteractionStore.open(f"sqlite:///{tmp_path}/unbroken.db")
    whole = bring(unbroken, MANY)

    def advance(done: int, total: int) -> None:
        assert 0 < done <= total
        if places(store) == [20]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(Source(io.BytesIO(MANY.encode()), "x"), store, titles, advance)
    assert sum(play.hours or 0 for play in store.stream()) == sum(range(20))

    again = bring(store, MANY)
    assert again.went_on_at == 20
    assert {**again.to_dict(), "went_on_at": 0} == whole.to_dict()
    assert list(store.rows()) == list(unbroken.rows())
    assert places(store) == []


@pytest.mark.usefixtures("small_batches")
def test_another_file_begins_at_its_own_beginning(store: InteractionStore):
    bring(store, "user_id,game_id\n" + "a,1\n" * 25)
    changed = MANY.replace("p0,", "q0,")
    broken = MANY.encode() + b"p,1,,,\n" * 3000 + b"\xff"
    with pytest.raises(ImportFailedError):
        bring(store, broken)

    assert bring(store, changed).went_on_at == 0


def test_what_is_imported_twice_counts_once(store: InteractionStore):
    bring(store, MANY)
    before = list(store.rows())

    assert bring(store, MANY).rows == 45
    assert list(store.rows()) == before
    assert sum(play.hours or 0 for play in store.stream()) == sum(range(45))


@pytest.mark.usefixtures("small_batches")
def test_bad_rows_alone_leave_no_place(store: InteractionStore):
    with pytest.raises(ImportFailedError, match="has no valid row; line 2"):
        bring(store, "user_id,game_id\n" + ",1\n" * 25)
    assert places(store) == []


def test_a_place_that_nobody_came_back_to_is_forgotten(store: InteractionStore):
    with store.database.write() as connection:
        connection.execute(sa.insert(imports), [{"fingerprint": "old", "rows": 5, "at": 0.0}])
    bring(store, MANY)

    assert places(store) == []


def test_what_is_listed_is_bounded_and_all_is_counted(store: InteractionStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(summary, "MAX_KEPT", 2)
    found = bring(store, "7,Portal,play,1,0\n" + "".join(f"7,{t},play,1,0\n7,x\n" for t in "abcab"))

    assert (found.set_aside_rows, found.unmatched_rows) == (5, 5)
    assert [line for line, _ in found.set_aside] == [3, 5]
    assert dict(found.unmatched) == {"a": 2, "b": 2}


def test_distinct_numbers_are_counted_exactly_in_pieces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(summary, "_FEWEST_TO_SORT", 10)
    distinct = Distinct()
    for start in range(0, 100, 5):
        distinct.add(range(start, start + 8))
    distinct.add([-(2**63), 2**63 - 1])

    assert [len(distinct), len(distinct)] == [105, 105]
