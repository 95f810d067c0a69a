"""The body of the answer about the last collection."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.core.documents import Document
from app.interaction_schemas import written_time

_RUN_ID = "20261126T040000-1f9c3a"
_REASON = "rating: must be a number from 0 to 5"
_COLLECTION: dict[str, JsonValue] = {
    "validated_at": "2026-11-26T04:01:05Z",
    "run_id": _RUN_ID,
    "rows": 10002,
    "valid": 10000,
    "repeated": 1,
    "bad": 1,
    "stopped_because": None,
    "reasons": [{"reason": _REASON, "rows": 1, "examples": ["7.5"]}],
    "set_aside": [{"row": 17, "game_id": "4200", "name": "'Portal 2'", "reason": _REASON}],
    "quota": {
        "month": "2026-11",
        "limit": 20000,
        "spent": 271,
        "remaining": 19729,
        "at": "2026-11-26T04:01:02Z",
        "run_id": _RUN_ID,
    },
}


class BrokenRule(BaseModel):
    """A rule that records broke."""

    reason: str
    rows: int = Field(description="How many records broke it.")
    examples: list[str] = Field(description="The first values that did, as Python writes them.")


class RowSetAside(BaseModel):
    """A record that is not used."""

    row: int = Field(description="Where it stands among the records, from 0.")
    game_id: str = Field(description="As the record has it, and as Python writes it.")
    name: str = Field(description="Likewise.")
    reason: str = Field(description="The rules that it broke.")


class Quota(BaseModel):
    """What was left of RAWG's requests of a month after a collection."""

    month: str
    limit: int
    spent: int
    remaining: int
    at: datetime
    run_id: str

    @classmethod
    def of(cls, kept: Document) -> Self:
        """Describe what is kept."""
        return cls(**kept.body, at=written_time(kept.at))


class CollectionReport(BaseModel):
    """What became of the records that were collected last; null and empty before the first run."""

    model_config = ConfigDict(json_schema_extra={"example": _COLLECTION})

    validated_at: datetime | None = None
    run_id: str | None = None
    rows: int | None = Field(default=None, description="`valid`, `repeated` and `bad` together.")
    valid: int | None = None
    repeated: int | None = Field(default=None, description="Records whose game stands in another one, too.")
    bad: int | None = None
    stopped_because: str | None = Field(default=None, description="Why nothing was trained on them; else null.")
    reasons: list[BrokenRule] = []
    set_aside: list[RowSetAside] = Field(default=[], description="The first hundred at most.")
    quota: Quota | None = Field(default=None, description="Null until a run has asked RAWG.")

    @classmethod
    def of(cls, validation: Document | None, quota: Document | None) -> Self:
        """Describe what is kept of both."""
        found = {} if validation is None else {**validation.body, "validated_at": written_time(validation.at)}
        return cls(**found, quota=None if quota is None else Quota.of(quota))
