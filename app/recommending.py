"""From a request to an answer: the player as the database knows them, the model that is live, the answer as bytes."""

from app.answer_log import AnswerLog
from app.answers import new_id, render
from app.core.answer import Query
from app.live_model import LiveModel
from app.players import Players


class Recommending:
    """Answers what is asked for; everything it takes is taken once, so that no answer mixes two models."""

    def __init__(self, live_model: LiveModel, players: Players, log: AnswerLog) -> None:
        """Answer from the live model for the players that there are, and log the answers."""
        self._live_model = live_model
        self._players = players
        self._log = log

    async def for_player(self, user_id: str, query: Query) -> bytes:
        """Recommend to a player: a `RecommendationList` as JSON, or `ModelNotLoadedError` before the first model."""
        model = self._live_model.loaded
        taste, warnings = await self._players.know(user_id, model)
        answer = model.recommender.recommend(taste, query)
        if warnings:
            answer = answer._replace(warnings=(*warnings, *answer.warnings))
        recommendation_id = new_id()
        body = render(answer, recommendation_id, user_id, model)
        self._log.record(recommendation_id, model.manifest.version, len(answer.games))
        return body
