"""Fixtures: the databases that the product can use."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.interactions import InteractionStore
from tests import postgres


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; whoever asks for it is skipped where the machine has none."""
    return postgres.binaries() or pytest.skip(postgres.MISSING)


@pytest.fixture(scope="session")
def shared_postgres(
    postgres_programs: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[postgres.Postgres]:
    """The one server of all of pytest-xdist's workers; it is not to be stopped."""
    folder = tmp_path_factory.getbasetemp()
    with postgres.share(postgres_programs, folder if worker_id == "master" else folder.parent) as server:
        yield server


@pytest.fixture
def postgres_url(shared_postgres: postgres.Postgres) -> Iterator[str]:
    """An empty PostgreSQL database for this test alone."""
    url = shared_postgres.create_database()
    yield url
    shared_postgres.drop_database(url)


@pytest.fixture
def own_postgres(postgres_programs: Path) -> Iterator[postgres.Postgres]:
    """A server for this test alone, to be stopped and started at will."""
    with postgres.serve(postgres_programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind, as `DATABASE_URL` names it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/interactions.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "interactions.db"
    with closing(Database(f"sqlite:///{path}")) as database:
        database.migrate()
    return path


@pytest.fixture(scope="session")
def migrated_template(shared_postgres: postgres.Postgres) -> str:
    """The name of a PostgreSQL database with the newest schema, to be copied."""
    url = shared_postgres.create_database()
    with closing(Database(url)) as database:
        database.migrate()
    return url.rpartition("/")[2]


@pytest.fixture
def migrated_sqlite(tmp_path: Path, migrated_file: Path) -> str:
    """An SQLite database with the newest schema: most tests need not watch how it comes about."""
    (tmp_path / "data").mkdir(exist_ok=True)
    shutil.copy(migrated_file, tmp_path / "data" / "interactions.db")
    return f"sqlite:///{tmp_path}/data/interactions.db"


@pytest.fixture
def migrated_postgres(shared_postgres: postgres.Postgres, migrated_template: str) -> Iterator[str]:
    """A PostgreSQL database with the newest schema."""
    url = shared_postgres.create_database(migrated_template)
    yield url
    shared_postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A database of either kind with the newest schema."""
    url: str = request.getfixturevalue(f"migrated_{request.param}")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, open; `migrate` is the test's to call."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def interaction_store(database: Database) -> InteractionStore:
    """The store of interactions in it, ready to be written to."""
    store = InteractionStore(database)
    store.prepare()
    return store
