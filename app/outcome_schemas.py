"""The bodies of the answers about what came of answers."""

from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from app.core.interactions import Kind
from app.core.outcomes import Outcomes, Reaction


class ReactionCount(BaseModel):
    """How often players did something with a game that an answer showed."""

    games: int = Field(
        description="How many games of answers; one that was in two answers counts once for each that led to something."
    )
    answers: int = Field(description="How many answers had at least one such game.")
    per_game: float | None = Field(
        description="`games` for each game shown; null where none was. Above 1 only where interactions name games that "
        "were not in the answer, which is not checked."
    )
    per_answer: float | None = Field(description="The share of the answers with at least one such game; null: none.")

    @classmethod
    def of(cls, reaction: Reaction, outcomes: Outcomes) -> Self:
        """Set what players did against what they were shown."""
        return cls(
            games=reaction.games,
            answers=reaction.answers,
            per_game=reaction.games / outcomes.games if outcomes.games else None,
            per_answer=reaction.answers / outcomes.answers if outcomes.answers else None,
        )


class VersionOutcomes(BaseModel):
    """What the answers of a model version led to."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "model_version": "20261123T040000-123456",
                "since": "2026-11-23T04:15:21.152000Z",
                "answers": 2000,
                "games": 20000,
                "opened": {"games": 900, "answers": 600, "per_game": 0.045, "per_answer": 0.3},
                "played": {"games": 300, "answers": 250, "per_game": 0.015, "per_answer": 0.125},
                "rated": {"games": 20, "answers": 20, "per_game": 0.001, "per_answer": 0.01},
                "liked": {"games": 60, "answers": 50, "per_game": 0.003, "per_answer": 0.025},
                "wishlisted": {"games": 100, "answers": 80, "per_game": 0.005, "per_answer": 0.04},
                "disliked": {"games": 10, "answers": 10, "per_game": 0.0005, "per_answer": 0.005},
                "hidden": {"games": 40, "answers": 20, "per_game": 0.002, "per_answer": 0.01},
                "lost": 0,
            },
        },
    )

    model_version: str
    since: datetime | None = Field(
        description="Everything here is of answers given since then, and nothing of earlier ones; it moves on as "
        "answers get older than `ANSWER_LOG_DAYS`, in steps of 4 h 40 min. Null: no answer of this version is kept."
    )
    answers: int = Field(description="How many answers were logged: all, or the share that `ANSWER_LOG_SAMPLE` sets.")
    games: int = Field(description="How many games these answers showed in all.")
    opened: ReactionCount = Field(
        description="Opened, or played, rated, liked or put on the wishlist, whether or not that was told too."
    )
    played: ReactionCount
    rated: ReactionCount
    liked: ReactionCount
    wishlisted: ReactionCount
    disliked: ReactionCount
    hidden: ReactionCount
    lost: int = Field(
        description="How many answers, of whatever version, the worker that tells this had to leave out of the log "
        "since it started, because the database was slow or away."
    )

    @classmethod
    def of(cls, version: str, outcomes: Outcomes, lost: int) -> Self:
        """Describe what came of a version's answers."""

        def count(kind: Kind) -> ReactionCount:
            return ReactionCount.of(outcomes.of_kind.get(kind, Reaction()), outcomes)

        return cls(
            model_version=version,
            since=None if outcomes.since is None else datetime.fromtimestamp(outcomes.since, UTC),
            answers=outcomes.answers,
            games=outcomes.games,
            opened=ReactionCount.of(outcomes.opened, outcomes),
            played=count(Kind.PLAY),
            rated=count(Kind.RATING),
            liked=count(Kind.LIKE),
            wishlisted=count(Kind.WISHLIST),
            disliked=count(Kind.DISLIKE),
            hidden=count(Kind.HIDE),
            lost=lost,
        )
