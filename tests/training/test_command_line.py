"""The commands, as a person or a script meets them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app.core.database import Database
from app.core.recommender import Recommender
from app.core.run import Trigger
from app.core.runs import RunStore
from app.core.store import ModelStore
from tests.fakes import rawg
from tests.training.conftest import Command
from tests.worlds import asked, publish
from training.journal import RunJournal

ROOT = Path(__file__).parents[2]


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    assert text.startswith("error: ")
    return text


def test_the_first_run_needs_nothing_and_the_next_one_of_the_same_data_answers_the_same(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    code, out, err = command("run")

    assert code == 0
    assert "training on the starter catalogue" in err
    assert "500 games, 100 simulated players" in out
    artifact = ModelStore(Path("models")).current() or pytest.fail("nothing was published")
    manifest = artifact.manifest
    assert (manifest.data_kind, manifest.catalogue_source, manifest.counts.games) == ("simulated", "starter", 500)
    metrics: Any = manifest.metrics
    ndcg = {name: metrics[name]["ndcg@10"]["value"] for name in ("model", "popularity", "random")}
    assert ndcg["model"] > 2 * ndcg["popularity"] > 2 * ndcg["random"]
    for player in ("1", "12", "100"):
        answer = asked(Recommender.from_arrays(artifact.arrays), player)
        assert (len(answer.games), answer.warnings) == (10, ())

    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    monkeypatch.setenv("PATH", "")  # so there is no git
    second = json.loads(command("run", "--json").out)
    assert second["version"] != manifest.version
    assert second["data_fingerprint"] == manifest.data_fingerprint
    again = ModelStore(Path("models")).load(second["version"])
    assert asked(Recommender.from_arrays(again.arrays), "12") == asked(Recommender.from_arrays(artifact.arrays), "12")
    assert (manifest.git_commit, second["git_commit"]) == (head.stdout.strip() or None, None)


@pytest.mark.usefixtures("key")
def test_with_a_key_the_live_catalogue_is_collected_and_trained_on(command: Command, fake_rawg: rawg.FakeRawg):
    games = fake_rawg.games  # game 900 is bad, and ten come twice
    fake_rawg.games = [*games[:50], {**rawg.game(900), "rating": 9}, *games[40:]]

    code, out, err = command("run")

    assert code == 0
    assert re.search(r"Collected 100 valid games on 3 pages; 1999\d requests left this month\.", err)
    assert "Set aside: 1 of 111 records; see `python -m training validate`" in err
    assert "100 games, 100 simulated players" in out
    assert rawg.KEY not in out + err
    model = Recommender.from_arrays((ModelStore(Path("models")).current() or pytest.fail("none")).arrays)
    assert model.catalogue.game_ids.tolist() == list(range(1, 101))

    code, out, _ = command("validate")
    assert code == 0
    assert "111 records: 100 valid games, 10 repeated, 1 set aside." in out
    assert re.search(r"rating +must be a number from 0 to 5 +1 +9", out)
    assert re.search(r"50 +900 +'Game 900' +rating: must be a number from 0 to 5", out)
    assert json.loads(command("validate", "--json").out) == json.loads(Path("data/validation.json").read_bytes())


@pytest.mark.usefixtures("key")
def test_a_finished_collection_is_replayed_without_asking_rawg(
    command: Command, fake_rawg: rawg.FakeRawg, monkeypatch: pytest.MonkeyPatch
):
    assert command("collect").code == 0
    asked = len(fake_rawg.requests)

    assert command("run", "--replay", "--dry-run").code == 0
    monkeypatch.delenv("RAWG_API_KEY")
    code, out, err = command("run", "--dry-run")

    assert code == 0
    assert "using the pages collected on 20" in err
    assert "100 games" in out
    assert len(fake_rawg.requests) == asked
    assert len(list(Path("data/rawg").glob("*/collection.json"))) == 1
    assert "500 games" in command("run", "--starter", "--dry-run").out


def test_a_wrong_key_is_one_clear_line(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAWG_API_KEY", "wrong")

    code, out, err = command("run")

    assert (code, out) == (1, "")
    assert err.startswith("error: RAWG does not know the key in RAWG_API_KEY")
    one_line(err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["collect"], "RAWG_API_KEY is not set; a key is free at"),
        (["run", "--replay"], "No collection is finished yet"),
        (["validate"], "No collection is finished yet"),
        (["recommend", "12"], "There is no model yet: make one with `python -m training run`"),
        (["evaluate"], "There is no model yet: make one with `python -m training run`"),
        (["evaluate", "x"], "There is no version 'x' in models"),
        (["models", "show", "x"], "There is no version 'x' in models"),
        (["models", "activate", "x"], "There is no version 'x' in models"),
        (["import", "nowhere.csv"], "nowhere.csv cannot be read"),
    ],
)
def test_a_failure_is_one_clear_line_and_exit_code_1(command: Command, arguments: list[str], message: str):
    code, out, err = command(*arguments)

    assert (code, out) == (1, "")
    assert message in one_line(err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["recommend"],
        ["run", "--no-such"],
        ["recommend", "1", "-n", "0"],
        ["run", "--starter", "--replay"],
        ["run", "--estimator", "magic"],
    ],
)
def test_wrong_usage_is_exit_code_2(command: Command, arguments: list[str]):
    assert command(*arguments).code == 2


def test_a_wrong_setting_is_named(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAWG_MAX_GAMES", "many")

    code, _, err = command("run")

    assert code == 1
    assert "RAWG_MAX_GAMES: Input should be a valid integer" in one_line(err)


@pytest.mark.usefixtures("key")
def test_bad_data_stop_the_run_and_the_model_stays(command: Command, fake_rawg: rawg.FakeRawg):
    version = publish(ModelStore(Path("models")))
    fake_rawg.games = [{**rawg.game(number), "rating": 9} for number in range(1, 50)]

    code, _, err = command("run")

    assert code == 1
    assert "error: 49 of 49 records of games are bad" in err
    assert ModelStore(Path("models")).current_version() == version
    assert command("validate").code == 1
    assert "and 29 more, in validation.json" in command("validate").out


def test_one_run_at_a_time(command: Command):
    database = Database("sqlite:///data/interactions.db")
    database.migrate()
    store = RunStore(database)
    other = RunJournal(store, store.begin(Trigger.COMMAND).run_id)
    with other.going_on():
        code, _, err = command("run")

    assert code == 1
    assert "Another run is going on, 20" in one_line(err)
    assert command("run", "--dry-run").code == 0


@pytest.mark.usefixtures("key")
def test_one_collection_at_a_time(command: Command):
    Path("data").mkdir()
    with FileLock("data/collect.lock"):
        code, _, err = command("collect")

    assert code == 1
    assert "Another run is going on" in one_line(err)
    assert command("collect").code == 0


def test_a_dry_run_publishes_nothing(command: Command):
    code, out, _ = command("run", "--dry-run")

    assert code == 0
    assert out.startswith("Not published, as this is a dry run; the gate would let it pass.")
    assert not Path("models").exists()
    assert command("run", "--starter", "--replay").code == 2


def test_imported_plays_take_the_place_of_simulated_players(command: Command):
    plays = [
        "user_id,game_id,hours",
        *(f"p{player},{game},5" for player in range(9) for game in (4200, 13536, 3498, 28)),
    ]
    Path("plays.csv").write_text("\n".join([*plays, "solo,4200,1", "solo,1,1", "off,2,1", ",1,1", *[",9,9"] * 20]))

    code, out, err = command("import", "plays.csv")
    assert code == 0
    assert "Imported 39 rows: 11 players, 6 games; 21 rows set aside." in err
    assert re.search(r"41 +user_id must have 1 to 128 characters", out)
    assert "and 1 more, in import.json" in out
    report = json.loads(Path("data/import.json").read_bytes())
    assert (report["rows"], report["players"], report["games"], len(report["set_aside"])) == (39, 11, 6, 21)
    assert report["set_aside"][0] == {"line": 41, "reason": "user_id must have 1 to 128 characters"}

    code, out, err = command("run")
    assert code == 0
    assert "Evaluation: no player has the games that it takes" in err
    assert "500 games, 10 observed players, 37 plays." in out
    assert "2 plays were left out: their games are not in the catalogue." in out

    answer = json.loads(command("recommend", "solo", "-n", "5", "--json").out)
    assert answer["data_kind"] == "observed"
    assert {game["game_id"] for game in answer["games"][:3]} == {13536, 3498, 28}
    for game in answer["games"][:3]:
        assert sum(reason["share"] for reason in game["reasons"]) == pytest.approx(game["score"], abs=1e-12)
    assert [game["source"] for game in answer["games"]] == [*["collaborative"] * 3, *["content"] * 2]


def test_plays_of_unknown_games_alone_stop_the_run(command: Command):
    Path("plays.csv").write_text("user_id,game_id\na,1\nb,2\n")
    command("import", "plays.csv")

    code, _, err = command("run")

    assert code == 1
    assert "error: Not one of the 2 imported plays is of a game in the catalogue." in err


@pytest.mark.parametrize("at", ["data/interactions.db", "models"])
def test_a_file_in_the_way_is_one_clear_line(command: Command, at: str):
    Path("data").mkdir()
    Path(at).write_text("in the way")

    code, _, err = command("run")

    assert code == 1
    assert err.splitlines()[-1].startswith("error: ")
    assert at in err.splitlines()[-1]


def test_the_starter_catalogue_can_be_validated(command: Command):
    code, out, _ = command("validate", "--starter")

    assert (code, out) == (0, "500 records: 500 valid games, 0 repeated, 0 set aside.\n")
