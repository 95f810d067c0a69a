"""Who is only tried out: players for whom nothing was written but on the page, while the players were invented.

A mark says so. As long as every player in the database bears one, models are still trained on invented players.
"""

from collections.abc import Collection

import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import interactions, tried_out


def mark(database: Database, connection: sa.Connection, user_id: str) -> bool:
    """Mark a player for whom nothing is kept yet; says whether the player bears the mark now.

    To be called before anything of the player is written in the same transaction.
    """
    if not database.is_sqlite:  # which lets one write at a time as it is
        # Whoever writes by another way takes marks away first, and so waits for this, or this for them: else a player
        # whose first two interactions are written at the same moment could keep the mark.
        connection.execute(sa.text("LOCK TABLE tried_out IN SHARE ROW EXCLUSIVE MODE"))
    anything = sa.exists().where(interactions.c.user_id == user_id)
    one = sa.select(sa.literal(user_id, sa.Text)).where(~anything)
    connection.execute(database.insert(tried_out).from_select(["user_id"], one).on_conflict_do_nothing())
    return is_marked(connection, user_id)


def is_marked(connection: sa.Connection, user_id: str) -> bool:
    """Tell whether a player is only tried out."""
    return connection.scalar(sa.select(tried_out.c.user_id).where(tried_out.c.user_id == user_id)) is not None


def take_marks(connection: sa.Connection, user_ids: Collection[str]) -> None:
    """Take players' marks away; to be called before anything of them is written in the same transaction."""
    connection.execute(sa.delete(tried_out).where(tried_out.c.user_id.in_(sorted(user_ids))))


def take_mark_without(connection: sa.Connection, user_id: str, going: sa.ColumnElement[bool]) -> None:
    """Take a player's mark away where nothing is left of the player but the rows of `going`, which are to be removed.

    To be called before that, for this is the order in which everybody takes locks.
    """
    left = sa.exists().where(interactions.c.user_id == user_id, ~going)
    connection.execute(sa.delete(tried_out).where(tried_out.c.user_id == user_id, ~left))


def by_others() -> sa.ColumnElement[bool]:
    """Select the interactions of players who bear no mark."""
    return ~sa.exists().where(tried_out.c.user_id == interactions.c.user_id)
