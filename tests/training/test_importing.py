from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.errors import ImportFailedError
from app.core.histories import Play
from app.core.interactions import InteractionStore
from training.importing import import_plays


@pytest.fixture
def store(tmp_path: Path) -> InteractionStore:
    return InteractionStore.open(f"sqlite:///{tmp_path}/interactions.db")


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "plays.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_all_columns_in_any_order(tmp_path: Path, store: InteractionStore):
    path = written(
        tmp_path,
        "\ufeffAt, game_id ,user_id,rating,hours\n"
        "2026-01-31T20:15:00Z,4200,765611980000,4.5,12.5\n"
        '2026-01-31,13536,"a, b",,\n',
    )

    summary = import_plays(path, store)

    assert list(store.stream()) == [
        Play("765611980000", 4200, 12.5, 4.5, datetime(2026, 1, 31, 20, 15, tzinfo=UTC).timestamp()),
        Play("a, b", 13536, None, None, datetime(2026, 1, 31, tzinfo=UTC).timestamp()),
    ]
    assert (summary.rows, len(summary.players), len(summary.games), summary.set_aside) == (2, 2, 2, [])


def test_the_two_required_columns_are_enough_and_others_are_passed_over(tmp_path: Path, store: InteractionStore):
    import_plays(written(tmp_path, "user_id,game_id,colour\nx,1,red\n"), store)

    assert list(store.stream()) == [Play("x", 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",1,,,", "user_id must have 1 to 128 characters"),
        (f"{'x' * 129},1,,,", "user_id must have 1 to 128 characters"),
        ("a,,,,", "game_id must be a whole number above 0"),
        ("a,0,,,", "game_id must be"),
        ("a,-1,,,", "game_id must be"),
        ("a,1.5,,,", "game_id must be"),
        ("a,٣,,,", "game_id must be"),
        ("a,9223372036854775808,,,", "game_id must be"),
        (f"a,{'9' * 5000},,,", "game_id must be"),
        ("a,1,-0.1,,", "hours must be a number from 0 to 1e+06"),
        ("a,1,nan,,", "hours must be"),
        ("a,1,inf,,", "hours must be"),
        ("a,1,long,,", "hours must be"),
        ("a,1,,5.5,", "rating must be a number from 0 to 5"),
        ("a,1,,,yesterday", "at must be a time as in"),
        ("a,1,,,2999-01-01", "at must not be in the future"),
        ("a,1,,,,more", "more fields than the header names"),
        ("a", "game_id must be"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_and_reason(
    tmp_path: Path, store: InteractionStore, row: str, reason: str
):
    path = written(tmp_path, f"user_id,game_id,hours,rating,at\ngood,1,,,\n{row}\ngood,2,,,\n")

    summary = import_plays(path, store)

    assert [play.user_id for play in store.stream()] == ["good", "good"]
    [(line, told)] = summary.set_aside
    assert line == 3
    assert told.startswith(reason)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no column user_id and no column game_id"),
        ("user_id;game_id\na;1\n", "has no column user_id and no column game_id; its first line must name the columns"),
        ("user_id,hours\na,1\n", "has no column game_id"),
        ("user_id,game_id\n", "has no valid row"),
        ("user_id,game_id\n,1\n", "has no valid row; line 2: user_id must have"),
        (b"user_id,game_id\n\xff,1\n", "is no CSV file in UTF-8"),
        (f'user_id,game_id\ngood,1\n"{"x" * 200_000}",1\n', "is no CSV file"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    tmp_path: Path, store: InteractionStore, content: str | bytes, message: str
):
    with pytest.raises(ImportFailedError, match=message):
        import_plays(written(tmp_path, content), store)
    assert not store.has_plays()


def test_a_file_that_is_not_there(tmp_path: Path, store: InteractionStore):
    with pytest.raises(ImportFailedError, match="cannot be read: No such file"):
        import_plays(tmp_path / "nowhere.csv", store)
