"""The body of the answer that compares two model versions."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.comparing import Compared
from app.core.artifact import Manifest

_ESTIMATE: dict[str, JsonValue] = {"value": 0.41, "low": 0.4, "high": 0.42}
_MOVER: dict[str, JsonValue] = {"game_id": 4200, "name": "Portal 2", "before": 0.1, "after": 0.15}
_COMPARISON: dict[str, JsonValue] = {
    "version": "20261124T040000-123456",
    "with": "20261123T040000-123456",
    "same": False,
    "metrics": [{"name": "ndcg@10", "before": _ESTIMATE, "after": {"value": 0.42, "low": 0.41, "high": 0.43}}],
    "games": {"before": 10000, "after": 10012},
    "players": {"before": 12000, "after": 12040},
    "compared": 200,
    "kept": 0.87,
    "risers": [_MOVER],
    "fallers": [],
    "samples": [{"user_id": "12", "plays": 30, "before": ["Portal 2", "Celeste"], "after": ["Celeste", "Hades"]}],
    "note": None,
}


class Estimated(BaseModel):
    """A metric of a model on the games held out of its own training, with its 95 % interval."""

    value: float
    low: float
    high: float


class MetricCompared(BaseModel):
    """A metric of both versions; null where one was not judged by it."""

    name: str
    before: Estimated | None
    after: Estimated | None


class Counted(BaseModel):
    """How many both versions know."""

    before: int
    after: int


class MovedGame(BaseModel):
    """A game, and the share of the lists that it is in."""

    game_id: int
    name: str
    before: float = Field(ge=0, le=1)
    after: float = Field(ge=0, le=1)


class ComparedPlayer(BaseModel):
    """A player, how many games they played, and the names of the first games recommended to them."""

    user_id: str
    plays: int
    before: list[str]
    after: list[str]


class Comparison(BaseModel):
    """What would change if `version` answered (after) in the place of `with` (before)."""

    model_config = ConfigDict(json_schema_extra={"example": _COMPARISON}, populate_by_name=True)

    version: str
    with_: Annotated[str, Field(alias="with")]
    same: bool = Field(description="Whether the two are one.")
    metrics: list[MetricCompared] = Field(description="Each version was judged by its own hold-out.")
    games: Counted
    players: Counted
    compared: int = Field(description="Of how many players, known to both, the first ten games were compared.")
    kept: float | None = Field(description="The share of their games that stays; null where no lists are compared.")
    risers: list[MovedGame] = Field(description="The games that are recommended more often, the most so first.")
    fallers: list[MovedGame] = Field(description="The games that are recommended less often.")
    samples: list[ComparedPlayer] = Field(description="Some players with a usual number of plays.")
    note: str | None = Field(description="Why no lists are compared.")

    @classmethod
    def of(cls, compared: Compared) -> Self:
        """Describe what was found."""
        before, after = compared.manifests
        return cls.model_validate(
            {
                "version": after.version,
                "with": before.version,
                "same": before.version == after.version,
                "metrics": _metrics(before, after),
                "games": {"before": before.counts.games, "after": after.counts.games},
                "players": {"before": before.counts.players, "after": after.counts.players},
                "compared": compared.exposure.players,
                **{name: value for name, value in compared.exposure.to_dict().items() if name != "players"},
                "samples": [player.to_dict() for player in compared.samples],
                "note": compared.note,
            }
        )


def _metrics(before: Manifest, after: Manifest) -> list[dict[str, Any]]:
    was, now = _estimates(before), _estimates(after)
    return [{"name": name, "before": was.get(name), "after": now.get(name)} for name in {**now, **was}]


def _estimates(manifest: Manifest) -> dict[str, Any]:
    found = manifest.metrics.get("model")
    return found if isinstance(found, dict) else {}
