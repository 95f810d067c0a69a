import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.core.database import Database
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.app.watched import FIRST, Worker
from tests.worlds import publish

ADMIN_KEY = "admin-key-of-the-tests"


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service trains unless its test is about that."""
    monkeypatch.setenv("RETRAIN_ENABLED", "false")


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Path("models"))


@pytest.fixture
def service_url(migrated_sqlite: str) -> str:
    """The database of `client`: SQLite, where a module does not say that its tests are about either kind."""
    return migrated_sqlite


@pytest.fixture
def client(store: ModelStore, service_url: str) -> Iterator[TestClient]:
    """The service with the six games."""
    publish(store)
    with TestClient(create_app(_settings(service_url)), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture(scope="module")
def reading(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, default_settings: Settings
) -> Iterator[TestClient]:
    """The same, on SQLite, for a module whose tests only read: to start it takes longer than to ask it something."""
    folder = tmp_path_factory.mktemp("reading")
    shutil.copy(migrated_file, folder / "interactions.db")
    places = {"data_dir": folder, "model_store": folder / "models", "retrain_enabled": False}
    publish(ModelStore(folder / "models"))
    with TestClient(create_app(default_settings.model_copy(update=places)), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    """The same, asked by whoever runs it."""
    client.headers["X-API-Key"] = ADMIN_KEY
    return client


@pytest.fixture
def modelless_client() -> Iterator[TestClient]:
    """The service before the first model."""
    with TestClient(create_app(_settings()), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    """A database for tests that need but one kind."""
    base = Database(f"sqlite:///{tmp_path}/data/interactions.db")
    base.migrate()
    yield base
    base.close()


@pytest.fixture
def worker(store: ModelStore, base: Database) -> Worker:
    """A worker that answers from the first version."""
    publish(store, FIRST)
    return Worker(base)


def administered(database_url: str | None = None) -> TestClient:
    """A service on a database, asked by whoever runs it."""
    app = create_app(_settings(database_url))
    return TestClient(app, headers={"X-API-Key": ADMIN_KEY}, raise_server_exceptions=False)


def _settings(database_url: str | None = None) -> Settings:
    return Settings(admin_api_key=SecretStr(ADMIN_KEY), database_url=database_url and SecretStr(database_url))
