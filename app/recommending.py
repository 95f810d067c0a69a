"""From a request to an answer: the players as the database knows them, the model that is live, the answer as bytes."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from app.answer_log import AnswerLog
from app.answers import Wishes, new_id, render, render_plain
from app.core import group
from app.core.answer import Query, Warned
from app.core.group import GroupAnswer
from app.core.tastes import Row, Slot, Taste
from app.core.why import Why, why
from app.live_model import LiveModel, LoadedModel
from app.players import Known, Players
from app.remembered import RememberedAnswers
from app.tally import Tally

_PLAIN = Wishes()
_AT_ONCE = 8  # players of a batch who are answered before other requests get a turn


class ForGroup(NamedTuple):
    """An answer for a group, with its name, and the model that gave it."""

    recommendation_id: str
    found: GroupAnswer
    model: LoadedModel


class ForWhy(NamedTuple):
    """An account of one game, the model that gave it, and what else to know."""

    found: Why
    model: LoadedModel
    warnings: tuple[Warned, ...]


class _Remembered(NamedTuple):
    """Answers of one model."""

    model: LoadedModel
    answers: RememberedAnswers


class Recommending:
    """Answers what is asked for; the model is taken once, so that no answer mixes two.

    Everything raises `ModelNotLoadedError` before the first model.
    """

    def __init__(
        self, live_model: LiveModel, players: Players, log: AnswerLog, tally: Tally, most_remembered: int = 0
    ) -> None:
        """Answer from the live model for the players that there are; log, count, and remember the last answers."""
        self._live_model = live_model
        self._players = players
        self._log = log
        self._tally = tally
        self._most_remembered = most_remembered
        self._remembered: _Remembered | None = None
        live_model.tell(self._forget)

    async def for_player(self, user_id: str, wishes: Wishes = _PLAIN) -> bytes:
        """Recommend to a player: a `RecommendationList` as JSON."""
        started, model = perf_counter(), self._live_model.loaded
        return self._answer(user_id, await self._players.know(user_id, model), wishes, model, started)

    async def for_player_plainly(self, user_id: str, n: int) -> bytes:
        """Recommend `n` games to a player, as `for_player` does; of unchanged histories at a fraction of the cost."""
        started, model = perf_counter(), self._live_model.loaded
        rows = None if model.is_simulated else await self._players.rows(user_id)
        if rows is None:
            return await self.for_player(user_id, Wishes(Query(n)))
        remembered = self._remembered
        if remembered is None or remembered.model is not model:
            answers = RememberedAnswers(model.recommender, model.weights, self._most_remembered)
            remembered = self._remembered = _Remembered(model, answers)
        answer = remembered.answers.recommend(user_id, rows, n)
        recommendation_id = new_id()
        self._log.record(recommendation_id, model.manifest.version, len(answer.cards))
        body = render_plain(answer, recommendation_id, user_id, model)
        self._tally.record(answer.sources, answer.warnings, started)
        return body

    async def for_visitor(self, played: Sequence[Row], wishes: Wishes) -> bytes:
        """Recommend to somebody without an id who tells what was played, as rows; a `RecommendationList` as JSON."""
        started, model = perf_counter(), self._live_model.loaded
        unknown = sum(model.recommender.catalogue.index_of(game_id) is None for game_id in {row[0] for row in played})
        message = f"{unknown} of the games played are not in the catalogue, and count nothing."
        warnings = (Warned("unknown_games", message),) if unknown else ()
        hidden = [(game_id, 0, None, None) for game_id in await self._players.hidden()]
        taste = Taste.of(sorted([*played, *hidden]), model.weights)
        return self._answer(None, Known(taste, warnings), wishes, model, started)

    async def for_batch(self, user_ids: Sequence[str], wishes: Wishes) -> bytes:
        """Recommend to several players: a `Batch` as JSON."""
        model = self._live_model.loaded
        answers = []
        for start in range(0, len(user_ids), _AT_ONCE):
            some = user_ids[start : start + _AT_ONCE]
            known = await asyncio.gather(*(self._players.know(user_id, model) for user_id in some))
            answers += [self._answer(one, what, wishes, model) for one, what in zip(some, known, strict=True)]
            await asyncio.sleep(0)
        return b'{"answers":[%b]}' % b",".join(answers)

    async def for_group(self, user_ids: Sequence[str], question: Query) -> ForGroup:
        """Recommend to the players of a party."""
        model = self._live_model.loaded
        known = [await self._players.know(user_id, model) for user_id in user_ids]
        members = {user_id: one.taste for user_id, one in zip(user_ids, known, strict=True)}
        found = group.recommend(model.recommender, members, question)
        warnings = tuple(dict.fromkeys(warned for one in known for warned in one.warnings))
        answer = found.answer._replace(warnings=(*warnings, *found.answer.warnings))
        recommendation_id = new_id()
        self._log.record(recommendation_id, model.manifest.version, len(answer.game_ids))
        self._tally.record(answer.sources, answer.warnings, offset=question.offset)
        return ForGroup(recommendation_id, found._replace(answer=answer), model)

    async def why(self, user_id: str, game_id: int, question: Query) -> ForWhy:
        """Account for one game; raises `GameNotFoundError` where there is no such game."""
        model = self._live_model.loaded
        taste, warnings = await self._players.know(user_id, model)
        return ForWhy(why(model.recommender, taste, game_id, question), model, warnings)

    def _forget(self, _before: LoadedModel | None, _after: LoadedModel) -> None:
        """Let go of the answers of the model before, so that it can be freed before somebody asks again."""
        self._remembered = None

    def _answer(
        self, user_id: str | None, known: Known, wishes: Wishes, model: LoadedModel, started: float | None = None
    ) -> bytes:
        taste, warnings = known
        answer = model.recommender.recommend(taste, wishes.question)
        if warnings:
            answer = answer._replace(warnings=(*warnings, *answer.warnings))
        recommendation_id = new_id()
        self._log.record(recommendation_id, model.manifest.version, len(answer.game_ids))
        body = render(answer, recommendation_id, user_id, model, wishes.fields)
        self._tally.record(answer.sources, answer.warnings, started, wishes.question.offset)
        return body


def as_rows(played: Sequence[tuple[int, float | None, float | None]]) -> list[Row]:
    """Write games with hours and ratings as rows; of a game that stands twice the last counts."""
    last = {game_id: (hours, rating) for game_id, hours, rating in played}
    return [
        row
        for game_id, (hours, rating) in last.items()
        for row in (
            *([(game_id, Slot.PLAY, hours, None)] if hours is not None or rating is None else []),
            *([(game_id, Slot.RATING, rating, None)] if rating is not None else []),
        )
    ]
