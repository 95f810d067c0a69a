"""The commands `import` and `export`, killed midway too."""

import json
import os
import random
import re
import signal
from pathlib import Path

import pytest

from app.core.errors import ImportFailedError
from app.core.histories import Play
from app.core.importing.summary import ImportSummary
from app.core.interactions import InteractionStore
from app.core.store import ModelStore
from tests.training.conftest import Command
from tests.training.test_interruptions import child
from tests.worlds import publish
from training.plays import PlaysFile
from training.tables import import_in_one_line


def opened(folder: str = "data") -> InteractionStore:
    return InteractionStore.open(f"sqlite:///{folder}/interactions.db")


@pytest.mark.untraced
def test_kill_9_midway_and_once_more_ends_with_the_same_rows():
    draw = random.Random(0)  # noqa: S311  # a test's plays
    rows = [
        f"p{draw.randrange(3000)},{draw.randrange(1, 500)},{draw.random():.3f},e{row},true" for row in range(60_000)
    ]
    Path("plays.csv").write_text("\n".join(["user_id,game_id,hours,event_id,accumulate", *rows, ",1,,,"]))
    with child("import", "plays.csv", env={"DATA_DIR": "whole"}) as process:
        _, whole = process.communicate(timeout=50)
    for line in (b"Importing: 2", b"Importing: 6"):
        with child("import", "plays.csv") as process:
            assert process.stderr is not None
            assert any(told.startswith(line) for told in process.stderr)
            process.send_signal(signal.SIGKILL)
    with child("import", "plays.csv") as process:
        _, err = process.communicate(timeout=50)

    assert process.returncode == 0
    counted = whole.decode().splitlines()[-1].removesuffix(".")
    assert counted.startswith("Imported 60000 rows: 3000 players, 499 games; 1 rows set aside")
    assert err.decode().splitlines()[-1].startswith(f"{counted}; the first ")
    assert list(opened().rows()) == list(opened("whole").rows())


def test_steam_200k_is_seen_by_itself_and_what_it_lacks_is_listed(command: Command):
    publish(ModelStore(Path("models")))
    lines = ["1,Game 10,play,2.5,0", *(f"1,Title {number},play,1,0" for number in range(22)), "1,Title 3,purchase,1,0"]
    Path("steam.csv").write_text("\n".join(lines))

    code, out, err = command("import", "steam.csv")

    assert code == 0
    assert "Imported 1 rows: 1 players, 1 games; 0 rows set aside; 23 rows of 22 titles not in the catalogue." in err
    assert out.splitlines()[1].split() == ["2", "Title", "3"]
    assert "and 2 more, in import.json" in out
    report = json.loads(command("import", "steam.csv", "--json", "--format", "steam-200k").out)
    assert report == json.loads(Path("data/import.json").read_bytes())
    assert len(report["unmatched"]) == 22


def test_one_line_says_what_an_earlier_import_had_read():
    told = import_in_one_line(ImportSummary(went_on_at=7))

    assert told.endswith("0 rows set aside; the first 7 rows were read by an import before this one.")


def test_without_a_model_there_is_nothing_to_match_titles_with(command: Command):
    Path("steam.csv").write_text("1,Game 10,play,2.5,0\n")

    code, _, err = command("import", "steam.csv")

    assert code == 1
    assert "error: There is no model yet" in err


def test_what_cannot_be_sought_in_is_told(command: Command):
    reading, writing = os.pipe()
    os.close(writing)

    code, _, err = command("import", f"/dev/fd/{reading}")
    os.close(reading)

    assert code == 1
    assert re.search(r"error: /dev/fd/\d+ cannot be read: .* not seekable\.", err)


def test_an_export_to_a_file_and_to_standard_output(command: Command):
    Path("plays.csv").write_text("user_id,game_id,hours\nzoë,1,2.5\n")
    command("import", "plays.csv")

    assert command("export", "out.csv").code == 0
    with child("export", "-") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")
    assert out == Path("out.csv").read_bytes() == "user_id,game_id,kind,hours,rating,at\nzoë,1,play,2.5,,\n".encode()
    assert "must end with .csv" in command("export", "out.doc").err
    assert command("export", "nowhere/out.csv").code == 1


def test_a_reader_that_goes_away_is_one_clear_line():
    rows = "".join(f"player {row},1\n" for row in range(20_000))
    Path("plays.csv").write_text(f"user_id,game_id\n{rows}")
    with child("import", "plays.csv") as process:
        process.communicate(timeout=50)
    with child("export", "-") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
    assert (process.wait(), err) == (1, b"error: Whoever read the export stopped before its end.\n")


def test_the_plays_of_an_export_are_read_as_a_model_learns_from_them(command: Command):
    Path("plays.csv").write_text(
        "user_id,game_id,kind,hours,rating\na,1,,2.5,4\na,2,dislike,,\na,3,wishlist,,\nb,1,like,,\nb,x,,,\n"
    )
    command("import", "plays.csv")
    command("export", "out.csv")

    written = PlaysFile(Path("plays.csv"))
    wanted = [Play("a", 1, 2.5, 4.0), Play("a", 2, None, 0.0), Play("b", 1, None, 5.0)]
    assert list(written) == list(PlaysFile(Path("out.csv"))) == list(opened().stream()) == wanted
    assert written.set_aside == 1
    with pytest.raises(ImportFailedError, match="nowhere cannot be read: No such file"):
        list(PlaysFile(Path("nowhere")))


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    Path("plays.csv").write_text("user_id,game_id\na,1\n")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with child("import", "plays.csv") as process:
        _, err = process.communicate(timeout=20)

    assert b"100/100" in err
