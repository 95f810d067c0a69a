from collections.abc import Callable

import pytest

from app.core.settings import Settings

MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch):
    """Retries come at once; how long they wait is tested where it matters."""
    monkeypatch.setattr("training.rawg._backoff", lambda _state: 0.0)
