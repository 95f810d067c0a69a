"""What a run does beside training."""

from typing import Any

import pytest

from app.core.database import Database
from app.core.documents import RAWG_QUOTA, VALIDATION, Documents
from app.core.notices import Notices
from app.core.run import RunOptions, State, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from tests.fakes import rawg
from tests.training.conftest import Command, MakeSettings
from tests.worlds import manifest
from training import collection, run
from training.collection import collect
from training.gate import Decision
from training.journal import RunJournal, Unrecorded
from training.pipeline import Outcome
from training.records import RecordCounts
from training.report import Findings


@pytest.fixture
def notices() -> Notices:
    database = Database("sqlite:///interactions.db")
    database.migrate()
    return Notices(database)


def test_a_quota_that_runs_out_is_told_once_a_month(make_settings: MakeSettings, notices: Notices):
    settings = make_settings(rawg_monthly_quota=10, rawg_quota_warning=0.3)
    run.warn_of_quota(settings, notices)
    assert not notices.any_waits()
    collect(settings)

    for _ in range(2):
        run.warn_of_quota(settings, notices)

    notice = notices.claim() or pytest.fail("nothing is told")
    spent = collection.ledger(settings)
    assert (notice.kind, notice.body) == ("quota", {"month": spent.month, "spent": spent.spent, "limit": 10})
    assert notices.claim() is None


def test_a_run_that_gives_no_sign_of_life_is_ended_before_the_next_begins(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run, "LEASE_SECONDS", 0.4)
    monkeypatch.setattr(run, "_LOOK_SECONDS", 0.05)
    store = RunStore(notices._database)
    dead = run.begin(store, Trigger.COMMAND, RunOptions(), seconds=0.2)

    begun = run.begin(store, Trigger.COMMAND, RunOptions())

    assert store.get(dead.run_id).error == "It was cut off: the process that ran it is gone."
    assert store.get(begun.run_id).state is State.RUNNING


def test_a_run_may_take_the_pages_that_are_there(make_settings: MakeSettings, notices: Notices):
    settings = make_settings()
    followed = RunJournal(RunStore(notices._database), "20261126T040000-abcdef")
    options = RunOptions(collect=False)

    assert run._source(settings, options, run.Choice(), followed) is None
    kept = collect(settings)
    assert run._source(settings, options, run.Choice(), followed) == kept


def test_what_tracking_has_to_say_is_a_warning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    class Away:
        def track(self, _version: str) -> str:
            return "Weights & Biases is away."

    monkeypatch.setattr(run, "tracker", lambda _settings: Away())
    findings = Findings(None, None, Decision(promoted=True, reason="Because."), None)
    outcome = Outcome(manifest(), findings, None, RecordCounts(1, 1, 0))

    assert run.track(Settings(), outcome, Unrecorded()) == ["Weights & Biases is away."]
    assert "warning: Weights & Biases is away." in capsys.readouterr().err


def documents() -> Documents:
    return Documents(Database("sqlite:///data/interactions.db"))


def kept(name: str) -> Any:
    found = documents().get(name)
    return found and found.body


@pytest.mark.usefixtures("key")
def test_what_became_of_a_collection_is_kept_for_all_to_see(
    command: Command, fake_rawg: rawg.FakeRawg, monkeypatch: pytest.MonkeyPatch
):
    fake_rawg.games = [rawg.game(number, rating=7 if number == 3 else 4) for number in range(1, 101)]
    monkeypatch.setenv("VALIDATION_MIN_GAMES", "100")
    monkeypatch.setenv("RAWG_MONTHLY_QUOTA", "50")

    assert command("run").code == 1

    report, quota = kept(VALIDATION), kept(RAWG_QUOTA)
    [run] = RunStore(documents()._database).newest(1)[1]
    assert (report["rows"], report["valid"], report["bad"]) == (100, 99, 1)
    assert report["stopped_because"].startswith("Only 99 valid games")
    assert [row["reason"] for row in report["set_aside"]] == ["rating: must be a number from 0 to 5"]
    assert report["run_id"] == quota["run_id"] == run.run_id
    spent = fake_rawg.asked_for().total()
    assert (quota["limit"], quota["spent"], quota["remaining"]) == (50, spent, 50 - spent)


@pytest.mark.usefixtures("key")
def test_what_is_left_of_the_quota_is_kept_though_the_collection_fails(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RAWG_MONTHLY_QUOTA", "1")

    assert command("run").code == 1

    assert kept(RAWG_QUOTA)["remaining"] == 0
    assert kept(VALIDATION) is None


def test_without_a_key_there_is_no_quota_and_by_steps_it_is_the_same(command: Command):
    for name in ("collect", "validate"):
        assert command("step", name, "--run-id", "20261126T040000-abcdef").code == 0

    assert kept(RAWG_QUOTA) is None
    report = kept(VALIDATION)
    assert (report["run_id"], report["bad"], report["stopped_because"]) == ("20261126T040000-abcdef", 0, None)
