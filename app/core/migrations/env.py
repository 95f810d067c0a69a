"""What Alembic runs: the steps, over the connection of `Database.migrate`, which holds the transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
