"""The bodies of the API's answers."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.core.answer import Reason, Scored, Source, Warned, WarningCode
from app.core.catalogue import Game, rawg_url
from app.core.importing.summary import ImportSummary

DataKind = Literal["simulated", "observed"]

GAME_EXAMPLE: dict[str, JsonValue] = {
    "game_id": 4200,
    "slug": "portal-2",
    "name": "Portal 2",
    "released": "2011-04-18",
    "genres": ["Shooter", "Puzzle"],
    "platforms": ["PC", "macOS", "Linux", "PlayStation 3", "Xbox 360"],
    "rating": 4.59,
    "metacritic": 95,
    "playtime": 11,
    "background_image": None,
    "rawg_url": "https://rawg.io/games/portal-2",
}
_SCORED: dict[str, JsonValue] = {**GAME_EXAMPLE, "score": 1.8, "rank": 1, "source": "collaborative"}


class GameFacts(BaseModel):
    """A game, as RAWG describes it."""

    game_id: int = Field(description="RAWG's id.")
    slug: str
    name: str
    released: str | None = Field(description="Date of release, `YYYY-MM-DD`; null while unknown.")
    genres: list[str]
    platforms: list[str]
    rating: float = Field(description="Mean of RAWG's user ratings, 0 to 5; 0 where there are too few.")
    metacritic: int | None = Field(description="Metacritic's score, 0 to 100.")
    playtime: int = Field(description="Average hours of play; 0 while unknown.")
    background_image: str | None = Field(description="Address of a picture.")
    rawg_url: str = Field(description="The game's page on RAWG; show this link where you show the game.")


def _facts(game: Game) -> dict[str, object]:
    return {**game, "rawg_url": rawg_url(game["slug"])}


class GameDetail(GameFacts):
    """A game with everything the catalogue knows of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **GAME_EXAMPLE,
                "tags": ["Singleplayer", "Co-op"],
                "ratings_count": 5700,
                "reviews_count": 5750,
                "added": 19000,
                "esrb_rating": "Everyone 10+",
            },
        },
    )

    tags: list[str]
    ratings_count: int
    reviews_count: int
    added: int = Field(description="How many RAWG users keep the game in their lists.")
    esrb_rating: str | None

    @classmethod
    def of(cls, game: Game) -> Self:
        """Describe a game."""
        return cls.model_validate(_facts(game))


class ShareOfScore(BaseModel):
    """What one played game adds to a score; the shares of all reasons add up to it."""

    game_id: int
    name: str
    share: float = Field(description="In units of the score.")
    fraction: float = Field(description="The share as a part of the score; 0 of a score of 0.")

    @classmethod
    def of(cls, reason: Reason, score: float) -> Self:
        """Describe a reason of a game with that score."""
        return cls(**reason._asdict(), fraction=reason.share / score if score else 0.0)


def _facts_may_be_left_out(schema: dict[str, Any]) -> None:
    """Describe what `fields` does: of the facts only the id is always there, and others may be."""
    facts = GameFacts.model_fields.keys() - {"game_id"}
    schema["required"] = [name for name in schema["required"] if name not in facts]
    schema["example"] = {**_SCORED, "reasons": []}


class ScoredGame(GameFacts):
    """A game in a ranked answer; `fields` may leave facts out, and add others."""

    model_config = ConfigDict(json_schema_extra=_facts_may_be_left_out)

    score: float = Field(description="Comparable within one answer; 0 where the game is there for its popularity.")
    rank: int = Field(description="1 is the best game of the whole list, whatever the offset.")
    source: Source = Field(
        description="`collaborative`: from what players play. `content`: from what the games are like. `popularity`: "
        "one of the games most played."
    )
    reasons: list[ShareOfScore] = Field(description="The played games behind the score; empty without `explain`.")

    @classmethod
    def of(cls, scored: Scored) -> Self:
        """Describe a ranked game."""
        return cls.model_validate(
            {**scored.game, "score": scored.score, "rank": scored.rank, "source": scored.source, "reasons": []}
        )


class AnswerWarning(BaseModel):
    """Something to know about an answer."""

    code: WarningCode = Field(description="Stable.")
    message: str

    @classmethod
    def of(cls, warned: Warned) -> Self:
        """Describe a warning."""
        return cls(**warned._asdict())


class RecommendationList(BaseModel):
    """Games recommended to a player."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "recommendation_id": "5b0f0c1e9a7d4d3c8f3a2b1c0d9e8f7a",
                "user_id": "12",
                "model_version": "20261123T040000-123456",
                "data_kind": "simulated",
                "source": "collaborative",
                "warnings": [],
                "games": [
                    {
                        **_SCORED,
                        "reasons": [
                            {"game_id": 13536, "name": "Portal", "share": 1.2, "fraction": 0.6666666666666666},
                            {"game_id": 19710, "name": "Half-Life 2", "share": 0.6, "fraction": 0.3333333333333333},
                        ],
                    },
                ],
            },
        },
    )

    recommendation_id: str = Field(description="Names this answer; send it back with what the player then does.")
    user_id: str | None = Field(description="null for a visitor without an id.")
    model_version: str
    data_kind: DataKind = Field(description="`simulated` while the model has learnt from invented players only.")
    source: Source | Literal["mixed", "none"] = Field(
        description="Where the games come from; `mixed`: from several sources; `none`: there are none."
    )
    warnings: list[AnswerWarning]
    games: list[ScoredGame]


class SimilarList(BaseModel):
    """Games that go with one game."""

    game_id: int
    model_version: str
    data_kind: DataKind
    warnings: list[AnswerWarning]
    games: list[ScoredGame]


class GamePage(BaseModel):
    """One page of a list of games."""

    total: int = Field(description="How many games the whole list has.")
    model_version: str
    data_kind: DataKind
    warnings: list[AnswerWarning]
    games: list[GameDetail]


class Label(BaseModel):
    """A genre, platform or tag."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Puzzle", "games": 42}})

    name: str
    games: int = Field(description="How many games have it.")


class LabelPage(BaseModel):
    """One page of a list of genres, platforms or tags."""

    total: int = Field(description="How many the whole list has.")
    labels: list[Label]


class SetAside(BaseModel):
    """A row that was not imported."""

    line: int = Field(description="Its line, or its number in a Parquet file.", examples=[7])
    reason: str = Field(examples=["hours must be a number from 0 to 1000000"])


class UnmatchedTitle(BaseModel):
    """A title that the catalogue does not have."""

    title: str = Field(examples=["Half-Life Deathmatch Source"])
    rows: int = Field(examples=[3])


class Imported(BaseModel):
    """What came of an import."""

    rows: int = Field(description="How many rows of the file are valid.", examples=[250_000])
    players: int = Field(description="How many players they are of.", examples=[12_000])
    games: int = Field(description="How many games they are of.", examples=[3_600])
    went_on_at: int = Field(
        description="After how many rows it went on with an interrupted import; else 0.", examples=[0]
    )
    set_aside_rows: int = Field(description="How many rows are wrong.", examples=[1])
    set_aside: list[SetAside] = Field(description="The first 100 of them.")
    unmatched_rows: int = Field(
        description="How many rows are of titles that the catalogue does not have.", examples=[3]
    )
    unmatched: list[UnmatchedTitle] = Field(description="The 100 most frequent of those titles.")

    @classmethod
    def of(cls, summary: ImportSummary) -> Self:
        """Sum an import up."""
        return cls.model_validate(summary.to_dict(most=100))


class Live(BaseModel):
    """The process works."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """A model is loaded."""

    status: Literal["ready"] = "ready"
    model_version: str
    data_kind: DataKind
    games: int
    players: int
    model_age_seconds: float = Field(description="How long ago the model was trained.", examples=[3600.5])
    worker: int = Field(description="The process that answers; each swaps to a new model by itself.", examples=[4711])


class Violation(BaseModel):
    """One wrong input."""

    field: str = Field(examples=["query.n"])
    message: str = Field(examples=["Input should be less than or equal to 100"])


class Problem(BaseModel):
    """An error, as RFC 9457 lays it out."""

    type: str = Field(description="Stable; names the kind of problem.", examples=["urn:problem:game-not-found"])
    title: str = Field(examples=["Game not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no game 7 in the catalogue."])
    errors: list[Violation] | None = Field(default=None, description="The wrong inputs, ten at the most.")
    run_id: str | None = Field(default=None, description="The training run that stands in the way.")
