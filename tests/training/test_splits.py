from pathlib import Path

import numpy as np
import pytest

from app.core.errors import BenchmarkError, ImportFailedError
from app.core.histories import Play
from tests.worlds import weight
from training import splits


def write(name: str, *lines: str) -> Path:
    path = Path(name)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_text_split_is_read_line_by_line():
    train = write("train.txt", "7 30 10", "", "4", "9 10\t20")
    test = write("test.txt", "9 30", "7 20", "4 10")

    split = splits.read(train, test)

    # Players stand in the order of the file, games in that of their numbers.
    assert split.train.toarray().tolist() == [[1, 0, 1], [0, 0, 0], [1, 1, 0]]
    assert split.train.dtype == np.float32
    assert split.players.tolist() == [0, 1, 2]
    assert [wanted.tolist() for wanted in split.wanted] == [[1], [0], [2]]
    assert split.notes[0] == "Trained on (train.txt): 4 plays of 3 players and 3 games."


def test_a_csv_file_is_weighed_as_the_import_does_and_a_row_replaces_an_earlier_one():
    train = write(
        "train.csv",
        "user_id,game_id,hours,rating",
        "b,20,1,",
        "a,10,,",
        "b,20,9,",
        "a,20,,0",
        ",5,,",
        "b,5,,",
        "b,5,,2.5",
    )
    test = write("test.csv", "user_id,game_id,rating", "a,5,", "b,10,0")

    split = splits.read(train, test)

    nine_hours, typical, half_liked = (
        weight(Play("b", 1, hours, rating)) for hours, rating in ((9.0, None), (None, None), (None, 2.5))
    )
    np.testing.assert_allclose(split.train.toarray(), [[half_liked, 0, nine_hours], [0, typical, 0]], rtol=1e-6)
    assert split.train.nnz == 4  # the game rated 0 is known to be played
    assert (split.players.tolist(), [wanted.tolist() for wanted in split.wanted]) == ([1], [[0]])
    assert split.notes[0].endswith(
        "4 plays of 2 players and 3 games; 1 rows of the files are set aside, as `import` does."
    )


def test_what_training_lacks_is_counted():
    train = write("train.txt", "1 10 20", "2 10 30")
    test = write("test.txt", "1 40 30 20", "2 50", "3 10", "4 10 60")

    split = splits.read(train, test)

    assert split.players.tolist() == [0, 1]
    # Games 40 and 50 have numbers behind the last column, so that no list can have them.
    assert [wanted.tolist() for wanted in split.wanted] == [[2, 3], [4]]
    assert split.notes[1] == (
        "To be found (test.txt): 3 plays of 2 players; 2 of the plays are of games that nobody plays in training, and "
        "count as missed. Left out: 1 plays that are in training too, and 2 players who are not in training."
    )


def test_without_a_test_file_a_fifth_of_the_games_of_each_player_is_held_out():
    ten, five, four = (" ".join(map(str, range(count))) for count in (10, 5, 4))

    split = splits.read(write("plays.txt", f"1 {ten}", f"2 {four}", f"3 {five}"), None)

    assert (split.players.tolist(), [len(wanted) for wanted in split.wanted]) == ([0, 2], [2, 1])
    known = split.train.toarray() > 0
    assert known.sum(axis=1).tolist() == [8, 4, 4]
    for player, wanted in zip(split.players, split.wanted, strict=True):
        assert not known[player, wanted].any()
    assert split.notes[1].endswith("(seed 0): 3 plays of 2 players.")
    again = splits.read(Path("plays.txt"), None)
    assert [wanted.tolist() for wanted in again.wanted] == [wanted.tolist() for wanted in split.wanted]


def test_a_game_rated_0_is_not_held_out():
    rows = [f"a,{game},{0 if game > 1 else 5}" for game in range(1, 9)]
    with pytest.raises(BenchmarkError, match=r"nothing to be found: Held out: .* 0 plays of 0 players"):
        splits.read(write("plays.csv", "user_id,game_id,rating", *rows), None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "wrong is empty"),
        (["", "  "], "wrong is empty"),
        (["hello world"], "wrong is neither a CSV file as `import` takes it, .* nor text with a player's number"),
        (["user_id,hours", "1,2"], "wrong has no column game_id"),
        (["user_id,game_id", ",1"], "wrong has no valid row; line 2: user_id must have"),
        (["1 2 3", "", "1 x"], "wrong begins like a text split, but line 3 is not whole numbers"),
        (["1 1234567890123456789"], "wrong is neither"),
        (["1", "2"], "wrong has players, but none of them has a game"),
    ],
)
def test_a_wrong_file_is_told(lines: list[str], message: str):
    with pytest.raises(ImportFailedError, match=message):
        splits.read(write("wrong", *lines), None)


def test_a_file_that_cannot_be_read_is_told():
    with pytest.raises(ImportFailedError, match="nowhere cannot be read: No such file"):
        splits.read(Path("nowhere"), None)


def test_two_files_that_do_not_fit_together_are_told():
    text, csv = write("train.txt", "1 2 3"), write("test.csv", "user_id,game_id", "1,2")

    with pytest.raises(BenchmarkError, match=r"train\.txt and test\.csv must have the same format"):
        splits.read(text, csv)
    with pytest.raises(BenchmarkError, match=r"nothing to be found: .* 0 plays of 0 players"):
        splits.read(text, write("test.txt", "5 6"))
