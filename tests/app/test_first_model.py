"""The first model, before there is anything to serve: trained once, or waited for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import first_model, retraining
from app.core.database import Database
from app.core.errors import TrainingError
from app.core.run import Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.worlds import publish


@pytest.fixture(autouse=True)
def training(monkeypatch: pytest.MonkeyPatch, no_training: None) -> None:  # noqa: ARG001  # what it has forbidden
    """These services train."""
    monkeypatch.setenv("RETRAIN_ENABLED", "true")


def test_whoever_waited_for_the_first_model_trains_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(first_model, "COMMAND", ("/no/program",))

    @contextmanager
    def lock_that_another_held(_path: Path) -> Iterator[None]:
        publish(ModelStore(Path("models")))
        yield

    with monkeypatch.context() as patch:
        patch.setattr(first_model, "FileLock", lock_that_another_held)
        first_model.train_first(Settings())
    assert ModelStore(Path("models")).versions()


def test_where_nobody_can_say_which_version_is_to_serve_nothing_is_trained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(first_model, "COMMAND", ("/no/program",))
    publish(ModelStore(Path("models")))
    Path("models/current").write_text("garbage")

    first_model.train_first(Settings())


def test_a_first_run_that_goes_well_is_all_there_is_to_it(monkeypatch: pytest.MonkeyPatch):
    publish(ModelStore(Path("trained")))
    monkeypatch.setattr(first_model, "COMMAND", ("mv", "trained", "models"))

    first_model.train_first(Settings())

    assert ModelStore(Path("models")).current_version()


def test_a_service_without_the_training_packages_waits_for_a_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(retraining, "find_spec", lambda _name: None)

    first_model.train_first(Settings())

    assert "waiting for another process to publish a model" in caplog.text


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_service_whose_first_run_is_refused_waits_only_where_another_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, elsewhere: bool
):
    """Another replica, with a data folder of its own, trains the first model already."""
    monkeypatch.setattr(first_model, "COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    if elsewhere:
        database = Database(Settings().database)
        database.migrate()
        RunStore(database).begin(Trigger.COMMAND)

        first_model.train_first(Settings())
    else:
        with pytest.raises(TrainingError):
            first_model.train_first(Settings())

    assert ("waiting for its model" in caplog.text) is elsewhere
