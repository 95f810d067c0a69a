"""Runs as they come to their end, for those who tell of them."""

from dataclasses import replace
from typing import Any

from app.core.run import Run, RunOptions, State, Step, StepTaken, Trigger

NOON = 1_795_694_400.0  # 2026-11-26 12:00 UTC
BEFORE, AFTER = "20261125T040000-000001", "20261126T040000-000002"

RESULT: dict[str, Any] = {
    "version": AFTER,
    "data_kind": "observed",
    "catalogue_source": "rawg",
    "promoted": True,
    "forced": False,
    "dry_run": False,
    "reason": f"It is no worse than {BEFORE}: ndcg@10 0.2140 against 0.2101, for 4812 players.",
    "counts": {"games": 10_240, "players": 5120, "plays": 401_233, "plays_left_out": 12, "neighbours": 512_000},
    "metrics": {
        "players": 4812,
        "model": {
            "ndcg@10": {"value": 0.214, "low": 0.209, "high": 0.2191},
            "recall@20": {"value": 0.331, "low": 0.3244, "high": 0.3377},
        },
        "popularity": {"ndcg@10": {"value": 0.101, "low": 0.0972, "high": 0.1049}},
        "cold": {
            "games": 900,
            "players": 3000,
            "recall@20": {"value": 0.08, "low": 0.0741, "high": 0.0862},
            "recall@20_by_chance": 0.0212,
        },
    },
    "against_champion": {"value": 0.0039, "low": -0.0004, "high": 0.0082},
    "against_popularity": {"value": 0.113, "low": 0.1071, "high": 0.1189},
    "before": {
        "version": BEFORE,
        "counts": {"games": 10_200, "players": 5100, "plays": 399_000},
        "metrics": {
            "model": {"ndcg@10": {"value": 0.2101, "low": 0.2052, "high": 0.215}},
            "popularity": {"ndcg@10": {"value": 0.1012, "low": 0.0975, "high": 0.105}},
            "cold": {"recall@20": {"value": 0.079, "low": 0.07, "high": 0.09}},
        },
    },
    "validation": {"rows": 10_251, "valid": 10_240, "bad": 11},
    "quota": {"limit": 20_000, "remaining": 18_420},
    "changes": {
        "before": BEFORE,
        "games": {
            "new": {
                "count": 52,
                "examples": [
                    {"game_id": 1, "name": "Hollow Knight: Silksong"},
                    {"game_id": 2, "name": ">observer_"},
                    {"game_id": 3, "name": "Ratchet & Clank"},
                ],
            },
            "gone": {"count": 12, "examples": []},
            "changed": {"count": 731, "examples": [{"game_id": 4, "name": "Hades II"}]},
        },
        "drift": [
            {"name": "metacritic", "psi": 0.31, "drifted": True},
            {"name": "released", "psi": 0.02, "drifted": False},
        ],
        "exposure": {
            "risers": [{"game_id": 4, "name": "Hades II", "before": 120, "after": 512}],
            "fallers": [{"game_id": 5, "name": "Portal 2", "before": 1900, "after": 1210}],
        },
        "players": [{"user_id": "7", "before": ["Portal 2"], "after": ["Hades II"]}],
    },
    "warnings": ["11 rows were left out: no name."],
}

SUCCEEDED = Run(
    run_id="20261126T040000-a1b2c3",
    state=State.SUCCEEDED,
    trigger=Trigger.SCHEDULE,
    options=RunOptions(),
    queued_at=NOON,
    started_at=NOON + 1,
    ended_at=NOON + 745,
    step=Step.PUBLISH,
    steps=(
        StepTaken(Step.COLLECT, NOON + 1, 602.0),
        StepTaken(Step.VALIDATE, NOON + 603, 3.24),
        StepTaken(Step.TRAIN, NOON + 606, 98.0),
        StepTaken(Step.EVALUATE, NOON + 704, 38.0),
        StepTaken(Step.PUBLISH, NOON + 742, 2.0),
    ),
    result=RESULT,
)

FAILED = replace(
    SUCCEEDED,
    state=State.FAILED,
    step=Step.VALIDATE,
    steps=(StepTaken(Step.COLLECT, NOON + 1, 602.0), StepTaken(Step.VALIDATE, NOON + 603)),
    result={},
    error="2,412 of 10,251 rows are bad (23.5 %), more than VALIDATION_MAX_BAD_SHARE allows (20 %).",
)
