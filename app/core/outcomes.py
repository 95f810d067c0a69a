"""What came of the answers: how many each model version gave, and what players then did with the games in them."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
import sqlalchemy as sa

from app.core.database import Database
from app.core.interactions import OUTCOME_NUMBERS, Kind
from app.core.tables import answers, outcomes, shown

Answered = tuple[str, str, int]  # the answer's id (32 digits), the model's version, how many games there were

_ROWS_PRUNED = 2_000  # in a transaction: whoever writes waits for a few milliseconds

_MOST_COUNTED = 50_000  # answers one by one, where they are not counted by the period

# The first digits of an answer's id are its time, so that they tell what is kept and what is not: 2^24 ms, 4 h 40 min.
_PERIOD_DIGITS = 6
_TIME_DIGITS = 12
_DIGITS = 32
_SECONDS_AHEAD = 86_400.0  # what is later than this by its id is no answer of ours, however wrong a clock

# What a player does with a game after a look at it; a dislike or a hide can be given to a name in a list.
_OPENED = [OUTCOME_NUMBERS[kind] for kind in (Kind.OPEN, Kind.PLAY, Kind.RATING, Kind.LIKE, Kind.WISHLIST)]

# A batch is one argument, and one call of the driver, which lets the interpreter go meanwhile: row by row, a thread
# would fight for it with those who answer requests, and hold SQLite's lock all the time. Each value is an id and, right
# behind it, the number of games.
_EACH = {True: "json_each(:batch)", False: "json_array_elements_text(CAST(:batch AS json)) AS each(value)"}
_INSERT = """
    INSERT INTO answers (recommendation_id, model_version, games)
    SELECT substr(value, 1, {digits}), :version, CAST(substr(value, {digits} + 1) AS SMALLINT) FROM {each} WHERE true
    ON CONFLICT DO NOTHING
"""


class Reaction(NamedTuple):
    """How many games of answers players did something with, and in how many answers there was such a game.

    A game that was in two answers, both of which led to something, counts twice.
    """

    games: int = 0
    answers: int = 0


class Outcomes(NamedTuple):
    """What came of a version's answers that are kept; all counts are of the same answers.

    `since` is when they begin, in seconds since 1970, None where there are none; `games` is how many games they showed.
    """

    since: float | None = None
    answers: int = 0
    games: int = 0
    opened: Reaction = Reaction()
    of_kind: Mapping[Kind, Reaction] = {}


class OutcomeStore:
    """Keeps the answers that were given, without the players, and counts what came of them."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated before anything is asked of it."""
        self._database = database
        self._insert = sa.text(_INSERT.format(digits=_DIGITS, each=_EACH[database.is_sqlite]))
        insert = database.insert(shown)
        added = {name: shown.c[name] + insert.excluded[name] for name in ("answers", "games")}
        self._count = insert.on_conflict_do_update(index_elements=list(shown.primary_key), set_=added)

    def log(self, batch: Sequence[Answered]) -> None:
        """Keep answers, all or none; a batch that is written again, whole, counts once.

        It may have been written though the connection broke before that was heard of.
        """
        parts: defaultdict[tuple[str, str], list[Answered]] = defaultdict(list)
        for answered in batch:
            parts[answered[1], answered[0][:_PERIOD_DIGITS]].append(answered)
        with self._database.write() as connection:
            # In one order, so that two workers never wait for each other.
            for (version, period), part in sorted(parts.items()):
                values = orjson.dumps([f"{name}{games}" for name, _, games in part]).decode()
                if connection.execute(self._insert, {"batch": values, "version": version}).rowcount:
                    games = sum(answered[2] for answered in part)
                    counts = {"model_version": version, "period": period, "answers": len(part), "games": games}
                    connection.execute(self._count, counts)

    def prune(self, older_than: float) -> bool:
        """Forget some of the answers given before a time (seconds since 1970), and what came of them.

        Says whether there may be more to forget. All that is of one period of 4 h 40 min goes when all of it is older;
        its counts go first, so that none is ever told of half a period.
        """
        first_kept, ahead = _first_id(older_than)[:_PERIOD_DIGITS], _first_id(time.time() + _SECONDS_AHEAD)
        with self._database.write() as connection:
            connection.execute(sa.delete(shown).where(shown.c.period < first_kept))
            return any(
                [
                    _prune(connection, answers, before=first_kept),
                    _prune(connection, outcomes, before=first_kept),
                    _prune(connection, outcomes, after=ahead),
                ]
            )

    def of_version(self, version: str) -> Outcomes:
        """Count what came of a version's answers."""
        mine = shown.c.model_version == version
        totals = sa.select(sa.func.min(shown.c.period), sa.func.sum(shown.c.answers), sa.func.sum(shown.c.games))
        with self._database.read() as connection:
            period, answered, games = connection.execute(totals.where(mine)).one()
            if period is None:
                return Outcomes()
            found = _found(version, period)
            by_kind = {row.kind: Reaction(row.games, row.answers) for row in connection.execute(_by_kind(found))}
            opened = Reaction(*connection.execute(_opened(found)).one())
        of_kind = {kind: by_kind.get(number, Reaction()) for kind, number in OUTCOME_NUMBERS.items()}
        return Outcomes(_time_of(period), int(answered), int(games), opened, of_kind)

    def led_to_play(self, version: str, start: float, end: float) -> tuple[int, int]:
        """Count which of a version's answers from `start` to `end` (seconds since 1970) led to play, and all of them.

        Of very many answers the first ones stand for all.
        """
        name = answers.c.recommendation_id
        mine = (answers.c.model_version == version, name >= _first_id(start), name < _first_id(end))
        some = sa.select(name).where(*mine).order_by(name).limit(_MOST_COUNTED).subquery()
        with self._database.read() as connection:
            count, last = connection.execute(sa.select(sa.func.count(), sa.func.max(some.c.recommendation_id))).one()
            found = _found(version, _first_id(start))
            played = (found.c.kind == OUTCOME_NUMBERS[Kind.PLAY], found.c.recommendation_id <= (last or ""))
            plays = sa.select(sa.func.count(found.c.recommendation_id.distinct())).where(*played)
            return connection.scalar(plays) or 0, count


def _found(version: str, first_kept: str) -> sa.Subquery:
    """Select what came of a version's answers, by a look at the answer of each: outcomes are few, answers many."""
    version_of = sa.select(answers.c.model_version).where(answers.c.recommendation_id == outcomes.c.recommendation_id)
    kept = outcomes.c.recommendation_id >= first_kept
    return sa.select(outcomes).where(kept, version_of.scalar_subquery() == version).subquery()


def _by_kind(found: sa.Subquery) -> sa.Select[int, int, int]:
    games = sa.func.count().label("games")
    in_answers = sa.func.count(found.c.recommendation_id.distinct()).label("answers")
    return sa.select(found.c.kind, games, in_answers).group_by(found.c.kind)


def _opened(found: sa.Subquery) -> sa.Select[int, int]:
    pairs = sa.select(found.c.recommendation_id, found.c.game_id).where(found.c.kind.in_(_OPENED)).distinct().subquery()
    return sa.select(sa.func.count(), sa.func.count(pairs.c.recommendation_id.distinct())).select_from(pairs)


def _prune(connection: sa.Connection, table: sa.Table, after: str = "", before: str | None = None) -> bool:
    """Delete the first of the rows whose ids lie between two; says whether there may be more."""
    name = table.c.recommendation_id
    old = [name > after] if before is None else [name > after, name < before]
    last = connection.scalar(sa.select(name).where(*old).order_by(name).limit(1).offset(_ROWS_PRUNED - 1))
    # One upper bound alone: SQLite would search by the other one, and look at all that are to be forgotten.
    connection.execute(sa.delete(table).where(*(old if last is None else [name > after, name <= last])))
    return last is not None


def _first_id(at: float) -> str:
    """Name the answers of a time (seconds since 1970): the first digits of their ids."""
    return f"{max(0, int(at * 1000)):0{_TIME_DIGITS}x}"


def _time_of(period: str) -> float:
    """Tell when a period began, in seconds since 1970."""
    return int(period.ljust(_TIME_DIGITS, "0"), 16) / 1000
