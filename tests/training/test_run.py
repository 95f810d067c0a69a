"""What a run does beside training."""

import pytest

from app.core.database import Database
from app.core.notices import Notices
from app.core.run import RunOptions
from app.core.runs import RunStore
from app.core.settings import Settings
from tests.training.conftest import MakeSettings
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
