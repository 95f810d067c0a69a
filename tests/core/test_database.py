"""The engine over both databases."""

from contextlib import closing

import sqlalchemy as sa

from app.core.database import Database


def test_a_connection_in_use_is_closed_when_its_transaction_ends(migrated_postgres: str):
    with closing(Database(migrated_postgres)) as database:
        with database.read() as connection:
            used = connection.connection.dbapi_connection
            database.close()
            assert connection.scalar(sa.select(1)) == 1
        assert used is not None
        assert used.closed
