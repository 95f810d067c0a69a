"""The bodies of the answers about model versions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.core.artifact import Counts, Manifest
from app.core.store import Rejection
from app.probation import Progress
from app.schemas import DataKind

_HEADLINE = ("ndcg@10", "recall@20")

_ESTIMATES: dict[str, JsonValue] = {
    "ndcg@10": {"value": 0.41, "low": 0.4, "high": 0.42},
    "recall@20": {"value": 0.52, "low": 0.51, "high": 0.53},
}
_SUMMARY: dict[str, JsonValue] = {
    "version": "20261123T040000-123456",
    "is_current": True,
    "is_predecessor": False,
    "rejected": None,
    "problem": None,
    "created_at": "2026-11-23T04:00:00.123456Z",
    "data_kind": "observed",
    "catalogue_source": "rawg",
    "counts": {"games": 10000, "players": 12000, "plays": 250000, "plays_left_out": 31, "neighbours": 2000000},
    "headline": _ESTIMATES,
    "gate": {"promoted": True, "reason": "It finds no less than the champion.", "forced": False},
}


class Rejected(BaseModel):
    """When and why a version was taken back."""

    at: datetime
    reason: str = Field(examples=["The share of answers without a game rose from 0.0 % to 12.5 %."])

    @classmethod
    def of(cls, rejection: Rejection) -> Self:
        """Describe a rejection."""
        return cls(at=datetime.fromtimestamp(rejection.at, UTC), reason=rejection.reason)


class Standing(BaseModel):
    """How a version stands among the others."""

    version: str
    is_current: bool = Field(description="All workers answer from it, or will within two seconds.")
    is_predecessor: bool = Field(description="It was current before, and comes back if the current one fails.")
    rejected: Rejected | None = Field(description="Null unless the service went back from it by itself.")


class ModelSummary(Standing):
    """A model version in short."""

    model_config = ConfigDict(json_schema_extra={"example": _SUMMARY})

    problem: str | None = Field(description="Why its description cannot be read, and all below is null; else null.")
    created_at: datetime | None = None
    data_kind: DataKind | None = None
    catalogue_source: str | None = None
    counts: Counts | None = None
    headline: dict[str, JsonValue] | None = Field(
        default=None, description="Its own main metrics on the games held out, with 95 % intervals."
    )
    gate: dict[str, JsonValue] | None = Field(default=None, description="Whether it was promoted, and why.")

    @classmethod
    def of(cls, standing: Standing, manifest: Manifest) -> Self:
        """Describe a version whose manifest is there."""
        return cls(**_facts(standing, manifest), problem=None)

    @classmethod
    def broken(cls, standing: Standing, problem: str) -> Self:
        """Describe a version whose manifest cannot be read."""
        return cls(**standing.model_dump(), problem=problem)


class ModelPage(BaseModel):
    """One page of the list of model versions."""

    total: int = Field(description="How many versions there are.")
    models: list[ModelSummary]


class Watched(BaseModel):
    """How far the worker that answers has watched a new version."""

    until: datetime = Field(description="When the watch ends.")
    answers: int = Field(description="How many answers this worker has given from it.")
    answers_before: int = Field(description="How many this worker gave from the version before, in as long a time.")

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Describe how far a watch is."""
        until = datetime.fromtimestamp(progress.until, UTC)
        return cls(until=until, answers=progress.answers, answers_before=progress.answers_before)


class ModelDetail(Standing):
    """Everything that is known of a model version."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in _SUMMARY.items() if name != "problem"},
                "format_version": 3,
                "git_commit": "9fc43ce0c1f0b7d9f4fd1e7f5f0d4a6f6f2c1b3a",
                "data_fingerprint": "f" * 64,
                "config": {"weights": {}},
                "metrics": {"players": 900, "model": _ESTIMATES, "popularity": _ESTIMATES},
                "digest": "d" * 64,
                "changes": None,
                "probation": None,
            }
        },
    )

    created_at: datetime
    data_kind: DataKind
    catalogue_source: str
    counts: Counts
    headline: dict[str, JsonValue]
    gate: dict[str, JsonValue]
    format_version: int
    git_commit: str | None
    data_fingerprint: str = Field(description="The same where the catalogue and the plays are.")
    config: dict[str, JsonValue] = Field(description="The numbers that shaped it.")
    metrics: dict[str, JsonValue] = Field(description="Its metrics beside those of rankers that learn nothing.")
    digest: str
    changes: JsonValue = Field(description="What changed since the version before; null where no report tells.")
    probation: Watched | None = Field(description="Null unless the worker that answers watches it right now.")

    @classmethod
    def of(cls, standing: Standing, manifest: Manifest, report: Mapping[str, Any], progress: Progress | None) -> Self:
        """Describe a version."""
        whole = manifest.model_dump(exclude={"sha256", "version"})
        return cls(
            **{**whole, **_facts(standing, manifest)},
            changes=report.get("changes"),
            probation=Watched.of(progress) if progress else None,
        )


def _facts(standing: Standing, manifest: Manifest) -> dict[str, Any]:
    model = manifest.metrics.get("model")
    found = model if isinstance(model, dict) else {}
    return {
        **standing.model_dump(),
        "created_at": manifest.created_at,
        "data_kind": manifest.data_kind,
        "catalogue_source": manifest.catalogue_source,
        "counts": manifest.counts,
        "headline": {name: found[name] for name in _HEADLINE if name in found},
        "gate": manifest.gate,
    }
