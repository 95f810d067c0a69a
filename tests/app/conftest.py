from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.worlds import publish


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Path("models"))


@pytest.fixture
def client(store: ModelStore, database_url: str) -> Iterator[TestClient]:
    """The service with the six games, on either database."""
    publish(store)
    with TestClient(create_app(Settings(database_url=database_url)), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def modelless_client() -> Iterator[TestClient]:
    """The service before the first model."""
    with TestClient(create_app(Settings()), raise_server_exceptions=False) as running:
        yield running
