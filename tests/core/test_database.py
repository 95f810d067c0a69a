"""The engine over both databases."""

from contextlib import closing

import pytest
import sqlalchemy as sa

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.tables import interactions


def test_a_connection_in_use_is_closed_when_its_transaction_ends(migrated_postgres: str):
    with closing(Database(migrated_postgres)) as database:
        with database.read() as connection:
            used = connection.connection.dbapi_connection
            database.close()
            assert connection.scalar(sa.select(1)) == 1
        assert used is not None
        assert used.closed


def test_a_snapshot_is_one_state_whatever_is_written_meanwhile(migrated_url: str):
    count = sa.select(sa.func.count()).select_from(interactions)
    with closing(Database(migrated_url)) as database:
        with database.snapshot() as connection:
            assert connection.scalar(count) == 0
            InteractionStore(database).write([Interaction("ann", 10, Kind.PLAY)])
            assert connection.scalar(count) == 0
        with database.read() as connection:
            assert connection.scalar(count) == 1


def test_a_snapshot_cannot_be_written_to(migrated_postgres: str):
    with (
        closing(Database(migrated_postgres)) as database,
        pytest.raises(DatabaseError, match="read-only transaction"),
        database.snapshot() as connection,
    ):
        connection.execute(sa.delete(interactions))
