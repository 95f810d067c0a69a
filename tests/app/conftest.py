from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.worlds import publish

ADMIN_KEY = "admin-key-of-the-tests"


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Path("models"))


@pytest.fixture
def client(store: ModelStore) -> Iterator[TestClient]:
    """The service with the six games."""
    publish(store)
    with TestClient(create_app(_settings()), raise_server_exceptions=False) as running:
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


def _settings() -> Settings:
    return Settings(admin_api_key=SecretStr(ADMIN_KEY))
