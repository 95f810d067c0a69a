"""A player's own library, from a server that answers as Steam does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.artifact import Artifact
from app.core.catalogue import Catalogue
from app.core.histories import Play
from app.core.interactions import InteractionStore
from app.core.store import ModelStore
from tests.fakes.steam import KEY, PLAYER, PRIVATE, FakeSteam, serve
from tests.training.conftest import Command
from tests.worlds import artifact, game, manifest, six_games

NAMES = {10: "Portal 2", 20: "Portal", 30: "Call of Duty: Black Ops", 40: "Dota 2", 50: "Left 4 Dead", 60: "Braid"}


@pytest.fixture
def steam(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSteam]:
    """Steam, the key to it, and a model with games of the library."""
    catalogue = Catalogue.from_games(game(number, name) for number, name in NAMES.items())
    arrays = {**artifact().arrays, **replace(six_games(), catalogue=catalogue).to_arrays()}
    store = ModelStore(Path("models"))
    store.publish(Artifact(manifest(), arrays))
    store.activate(manifest().version)
    monkeypatch.setattr("training.steam._backoff", lambda _state: 0.0)
    with serve() as server:
        monkeypatch.setenv("STEAM_BASE_URL", server.base_url)
        monkeypatch.setenv("STEAM_API_KEY", KEY)
        yield server


def plays() -> list[Play]:
    return list(InteractionStore.open("sqlite:///data/interactions.db").stream())


def test_a_library_becomes_plays(command: Command, steam: FakeSteam):
    code, out, err = command("import", "--steam", PLAYER, "--user-id", "zoë")

    assert code == 0
    assert "Imported 5 rows: 1 players, 4 games; 0 rows set aside; 2 rows of 2 titles not in the catalogue." in err
    assert "Spacewar" in out
    assert "app 2" in out
    assert plays() == [
        Play("zoë", 10, 12.5, None, 1_600_000_000),
        Play("zoë", 20, 1.5),
        Play("zoë", 30, 1.5, None, 1_500_000_000),
        Play("zoë", 40, 0.0),
    ]
    [asked] = steam.requests
    assert asked == {
        "key": KEY,
        "steamid": PLAYER,
        "include_appinfo": "1",
        "include_played_free_games": "1",
        "format": "json",
    }
    assert len(json.loads(Path("data/import.json").read_bytes())["unmatched"]) == 2

    assert command("import", "--steam", PLAYER).code == 0
    assert {play.user_id for play in plays()} == {"zoë", PLAYER}


def test_what_passes_is_tried_again(command: Command, steam: FakeSteam):
    steam.faults = [
        (503, b"", {}),
        (429, b"", {"Retry-After": "0"}),
        (200, b"<html>", {}),
        (500, b"", {"Content-Length": "50"}),
    ]

    assert command("import", "--steam", PLAYER).code == 0
    assert len(steam.requests) == 5


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([(502, b"", {})] * 9, "error: Steam did not answer in 6 tries, the last one ending with HTTP 502."),
        ([(429, b"", {"Retry-After": "900"})], "error: Steam asks to wait 900 seconds; try again then."),
        ([(401, b"", {})], "error: Steam refuses the key in STEAM_API_KEY (HTTP 401)."),
        ([(403, b"", {})], "error: Steam refuses the key in STEAM_API_KEY (HTTP 403)."),
        ([(302, b"", {"Location": "/"})], "error: Steam answered HTTP 302; check the player's id"),
        ([(200, b"[]", {})], "error: Steam's answer is no list of games"),
        ([(200, b'{"response": {"games": 5}}', {})], "error: Steam's answer is no list of games"),
        ([(200, b'{"response": {"games": [5]}}', {})], "error: Steam's answer is no list of games"),
        ([(200, b'{"response": {"games": []}}', {})], "error: None of the 0 games of this Steam library"),
    ],
)
def test_what_does_not_pass_is_one_clear_line(
    command: Command, steam: FakeSteam, faults: list[tuple[int, bytes, dict[str, str]]], message: str
):
    steam.faults = faults

    code, out, err = command("import", "--steam", PLAYER)

    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith(message)
    assert KEY not in out + err


def test_a_player_who_cannot_be_read_and_a_steam_that_is_not_there(
    command: Command, steam: FakeSteam, monkeypatch: pytest.MonkeyPatch
):
    assert "the profile is private" in command("import", "--steam", PRIVATE).err
    assert "Steam answered HTTP 400; check the player's id" in command("import", "--steam", "5").err
    assert len(steam.requests) == 2
    monkeypatch.setenv("STEAM_BASE_URL", "http://127.0.0.1:9")
    assert "ending with no connection" in command("import", "--steam", PLAYER).err
    monkeypatch.delenv("STEAM_API_KEY")
    assert "STEAM_API_KEY is not set; a key is free at" in command("import", "--steam", PLAYER).err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["plays.csv", "--steam", PLAYER],
        ["plays.csv", "--user-id", "zoë"],
        ["--steam", "gaben"],
        ["--steam", PLAYER, "--user-id", "a\nb"],
        ["plays.csv", "--format", "xml"],
    ],
)
def test_wrong_usage(command: Command, arguments: list[str]):
    assert command("import", *arguments).code == 2
