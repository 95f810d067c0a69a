"""The commands that look at models."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.artifact import Artifact
from app.core.store import ModelStore
from tests.training.conftest import Command
from tests.worlds import artifact, manifest, publish
from training import tables


def test_a_player_id_that_is_no_text_is_wrong_usage(command: Command):
    publish(ModelStore(Path("models")))

    code, _, err = command("recommend", "\udcff")

    assert code == 2
    assert "is not UTF-8" in err


def test_what_a_run_has_published_recommends_and_is_judged_by_its_hold_out(command: Command):
    published = json.loads(command("run", "--json").out)

    prints_a_table(command)
    is_judged(command, published)


def prints_a_table(command: Command) -> None:
    code, out, _ = command("recommend", "12", "-n", "3")

    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("Player 12 (simulated) played ")
    assert re.fullmatch(r" *Game +Released +Genres +Score +Because of *", lines[1])
    assert [line[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert re.search(r"\(\d+%\) *$", lines[2])
    assert "RAWG" in lines[5]

    stranger = command("recommend", "[bold]nobody").out
    assert "Nothing is known of this player" in stranger
    assert "popularity" in stranger


def is_judged(command: Command, published: Any) -> None:
    code, out, _ = command("evaluate")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == f"{published['version']}, judged by 50 players; in brackets 95 % intervals."
    assert lines[1].split() == ["model", "popularity", "random"]
    ndcg = published["metrics"]["model"]["ndcg@10"]
    assert lines[2].startswith(f"ndcg@10      {ndcg['value']:.4f} ({ndcg['low']:.4f} to {ndcg['high']:.4f})")

    again = json.loads(command("evaluate", published["version"], "--json").out)
    assert again.pop("version") == published["version"]
    assert again.items() <= published["metrics"].items()


def test_a_version_that_nothing_was_held_out_of_cannot_be_judged(command: Command):
    nothing = {"held_out_players": "<i4", "held_out_indices": "<i4"}
    arrays = {
        **artifact().arrays,
        **{name: np.array([], dtype) for name, dtype in nothing.items()},
        "held_out_indptr": np.array([0], "<i8"),
    }
    store = ModelStore(Path("models"))
    store.activate(store.publish(Artifact(manifest(), arrays)))

    code, _, err = command("evaluate")

    assert code == 1
    assert err == "error: 20260101T000000-000000 cannot be judged: no plays were held out of its training.\n"


def test_another_estimator_can_be_asked_for(command: Command):
    published = json.loads(command("run", "--estimator", "cosine", "--dry-run", "--json").out)

    assert published["config"]["collaborative"]["estimator"] == "cosine"


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ({"promoted": True, "forced": False}, "it is current. Because."),
        ({"promoted": True, "forced": True}, "it is current (forced). Because."),
        ({"promoted": False, "forced": False}, "the version before stays current. Because."),
    ],
)
def test_a_run_says_whether_its_model_went_live(gate: dict[str, bool], told: str, capsys: pytest.CaptureFixture[str]):
    tables.show({}, tables.published(manifest(gate={**gate, "reason": "Because."}), dry_run=False), as_json=False)

    assert capsys.readouterr().out.splitlines()[0] == f"Published 20260101T000000-000000; {told}"


def test_models_can_be_listed_shown_activated_and_pruned(command: Command):
    store = ModelStore(Path("models"))
    old, new = publish(store, "20260101T000000-000000"), publish(store, "20260102T000000-000000", metrics={})

    lines = command("models", "list").out.splitlines()
    assert lines[1].startswith(f"current  {new}  starter")
    assert re.match(rf" +{old} .* 0\.250", lines[2])
    assert [row["version"] for row in json.loads(command("models", "list", "--json").out)] == [new, old]
    assert json.loads(command("models", "show", old).out)["counts"]["games"] == 6

    assert "is current" in command("models", "activate", old).err
    assert store.current_version() == old
    assert "Removed 0 versions." in command("models", "prune", "--keep", "1").err
    command("models", "activate", new)
    assert "Removed 0 versions." in command("models", "prune").err  # MODELS_KEPT
    newest = publish(store, "20260103T000000-000000")
    assert "Removed 1 versions." in command("models", "prune", "--keep", "1").err  # the one before the current stays
    assert store.versions() == [newest, new]


def test_a_broken_version_does_not_hide_the_others(command: Command):
    store = ModelStore(Path("models"))
    broken, whole = publish(store, "20260101T000000-000000"), publish(store, "20260102T000000-000000")
    (Path("models") / broken / "manifest.json").unlink()

    lines = command("models", "list").out.splitlines()
    listed = json.loads(command("models", "list", "--json").out)

    assert lines[1].startswith(f"current  {whole}")
    assert lines[2].startswith(f"broken   {broken}  The manifest of {broken} cannot be read.")
    assert listed[1] == {"version": broken, "broken": f"The manifest of {broken} cannot be read."}


def test_a_run_keeps_as_many_versions_as_the_setting_says(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELS_KEPT", "2")
    store = ModelStore(Path("models"))
    old, before = publish(store, "20260101T000000-000000"), publish(store, "20260102T000000-000000")

    command("run", "--starter")

    new, kept = store.versions()
    assert (kept, store.current_version()) == (before, new)
    assert old not in {new, kept}
