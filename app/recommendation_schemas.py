"""The bodies of answers to many players, to a party, and about one game."""

from pydantic import BaseModel, Field

from app.core.answer import Source
from app.schemas import AnswerWarning, DataKind, GameDetail, RecommendationList, ScoredGame, ShareOfScore


class Batch(BaseModel):
    """Games recommended to several players, in the order in which they were asked for."""

    answers: list[RecommendationList]


class FitsMember(BaseModel):
    """How well a game fits a member of a group."""

    user_id: str
    fit: float = Field(description="The game's score as a part of the member's best score, above 0 and up to 1.")


class GroupGame(ScoredGame):
    """A game in an answer for a group; its score is the mean of the fits over the members who are known."""

    fits: list[FitsMember] = Field(description="The members whom it fits, the best fit first.")


class GroupList(BaseModel):
    """Games recommended to a group."""

    recommendation_id: str = Field(description="Names this answer; send it back with what the players then do.")
    user_ids: list[str]
    model_version: str
    data_kind: DataKind
    warnings: list[AnswerWarning]
    games: list[GroupGame]


class KeptOutBy(BaseModel):
    """What keeps a game out of a player's ranking."""

    code: str = Field(
        description="Stable: `played`, `vetoed`, `excluded`, the name of a filter, or `no_link`.", examples=["played"]
    )
    message: str


class WhyGame(BaseModel):
    """An account of one game for one player."""

    user_id: str
    model_version: str
    data_kind: DataKind
    warnings: list[AnswerWarning]
    game: GameDetail
    score: float = Field(description="As it would be in an answer, whatever keeps the game out.")
    rank: int | None = Field(description="Its place among the games with a score; null where it is kept out.")
    source: Source
    reasons: list[ShareOfScore] = Field(description="The shares add up to the score.")
    kept_out_by: list[KeptOutBy]
