import io

import pytest
from rich.console import Console

from training import progress


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(progress, "console", lambda: Console(file=written, force_terminal=False))
    return written


def test_without_a_terminal_a_task_is_ten_plain_lines(lines: io.StringIO):
    with progress.bar("Collecting", "games") as advance:
        for done in range(1, 1001):
            advance(done, 1000)

    told = lines.getvalue().splitlines()
    assert told == [f"Collecting: {done} of 1000 games" for done in range(100, 1001, 100)]


def test_large_steps_are_told_once_each(lines: io.StringIO):
    with progress.bar("Collecting", "games") as advance:
        for done in (40, 80, 100):
            advance(done, 100)

    assert lines.getvalue().splitlines() == [f"Collecting: {done} of 100 games" for done in (40, 80, 100)]


def test_whoever_else_wants_to_know_is_told_as_well(lines: io.StringIO):
    told: list[tuple[int, int]] = []

    with progress.bar("Collecting", "games", lambda done, total: told.append((done, total))) as advance:
        advance(40, 100)

    assert told == [(40, 100)]
    assert lines.getvalue() == "Collecting: 40 of 100 games\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch):
    written = io.StringIO()
    monkeypatch.setattr(progress, "console", lambda: Console(file=written, force_terminal=True, width=100))

    with progress.bar("Collecting", "games") as advance:
        advance(3, 7)

    assert "3/7 games" in written.getvalue().replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert "━" in written.getvalue()


def test_what_is_said_is_not_markup(capsys: pytest.CaptureFixture[str]):
    progress.say("[bold]a game's name[/bold]" + " and a long line" * 20)

    assert capsys.readouterr().err == "[bold]a game's name[/bold]" + " and a long line" * 20 + "\n"
