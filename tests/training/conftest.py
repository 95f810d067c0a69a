import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from app.core.histories import Histories
from app.core.recommender import Recommender
from app.core.settings import Settings
from tests.fakes import rawg
from training.__main__ import main
from training.fitting import Fitter, TrainingConfig

MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch):
    """Retries come at once; how long they wait is tested where it matters."""
    monkeypatch.setattr("training.rawg._backoff", lambda _state: 0.0)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake_rawg: rawg.FakeRawg) -> Command:
    """Run a command in this process, against the fake RAWG, without a key unless the test sets one."""
    monkeypatch.setenv("RAWG_BASE_URL", fake_rawg.base_url)

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["training", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[Histories]:
    """The histories that were learned from, fit by fit."""
    seen: list[Histories] = []
    fit = Fitter.fit

    def watched(fitter: Fitter, known: Histories, config: TrainingConfig) -> Recommender:
        seen.append(known)
        return fit(fitter, known, config)

    monkeypatch.setattr(Fitter, "fit", watched)
    return seen


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWG_API_KEY", rawg.KEY)
