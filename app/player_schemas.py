"""The bodies of answers about a player's games."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from app.core.catalogue import Game, rawg_url
from app.core.player_games import PlayerGame
from app.interaction_schemas import KeptKind, written_time
from app.schemas import GAME_EXAMPLE, AnswerWarning, DataKind, GameFacts


class GameOfPlayer(GameFacts):
    """A game that a player has to do with."""

    kinds: list[KeptKind] = Field(description="What the player did with it.")
    hours: float | None
    rating_given: float | None = Field(description="The player's own rating, 0 to 5.")
    at: datetime | None = Field(description="When the player last did something with it; null where that is not known.")
    invented: bool = Field(description="Whether all this belongs to an invented player, and nobody did it.")

    @classmethod
    def of(cls, one: PlayerGame, game: Game, *, invented: bool) -> Self:
        """Describe a game of a player."""
        return cls.model_validate(
            {
                **game,
                "rawg_url": rawg_url(game["slug"]),
                "kinds": [kind.value for kind in one.kinds],
                "hours": one.hours,
                "rating_given": one.rating,
                "at": None if one.at is None else written_time(one.at),
                "invented": invented,
            }
        )


class PlayerGamePage(BaseModel):
    """Some of a player's games."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "user_id": "12",
                "total": 1,
                "data_kind": "observed",
                "model_version": "20261123T040000-123456",
                "warnings": [],
                "games": [
                    {
                        **GAME_EXAMPLE,
                        "kinds": ["play", "like"],
                        "hours": 12.5,
                        "rating_given": None,
                        "at": "2026-01-31T20:15:00Z",
                        "invented": False,
                    }
                ],
            }
        }
    )

    user_id: str
    total: int = Field(description="How many games the player has to do with.")
    data_kind: DataKind
    model_version: str
    warnings: list[AnswerWarning]
    games: list[GameOfPlayer]
