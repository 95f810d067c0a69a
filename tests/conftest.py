"""What all tests share: settings in an empty folder, a RAWG server, and a small published world."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before numba is imported: an index out of range is an error, in code compiled apart from that of the product.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
os.environ["STOP_DELAY"] = "0"  # nobody sends them requests through a load balancer
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[1] / ".pytest_cache" / "numba")
# Where it is set, each of hundreds of child processes compiles the product anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from app.core import log
from app.core.settings import Settings
from tests.fakes import rawg

pytest_plugins = ["tests.databases"]

# In the background of a shell Ctrl-C is ignored, by all that is started there too: the tests send it to some of them.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count nothing that a test marked `untraced` runs, here or in child processes: counting takes as long again."""
    measuring = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(measuring, "cov_controller", None)
    if controller is None or item.get_closest_marker("untraced") is None:
        return (yield)
    controller.pause()
    counting = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("COV")}
    try:
        return (yield)
    finally:
        os.environ.update(counting)
        controller.resume()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the settings, data or models of whoever runs it."""
    _forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        patch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def default_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of nobody, read once: it takes a while."""
    with pytest.MonkeyPatch.context() as patch:
        _forget_settings(patch)
        patch.chdir(tmp_path_factory.mktemp("empty"))
        return Settings()


@pytest.fixture(autouse=True)
def logs_as_in_a_program(default_settings: Settings) -> None:
    log.configure(default_settings)


@pytest.fixture
def fake_rawg() -> Iterator[rawg.FakeRawg]:
    """A RAWG with 100 games."""
    with rawg.serve([rawg.game(number) for number in range(1, 101)]) as server:
        yield server


@pytest.fixture
def make_settings(fake_rawg: rawg.FakeRawg) -> Callable[..., Settings]:
    """Settings that point at the fake RAWG."""

    def make(**values: Any) -> Settings:
        return Settings(
            **{"rawg_base_url": fake_rawg.base_url, "rawg_api_key": rawg.KEY, "rawg_timeout": 2.0, **values}
        )

    return make
