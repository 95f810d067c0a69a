"""What is found out about a version, as files that lie beside it: for machines, for people, and as pictures."""

from dataclasses import dataclass
from typing import Any

import orjson

from app.core.artifact import Manifest
from app.core.recommender import Recommender
from training import what_changed
from training.changes import Changes
from training.cold import ColdEvaluation
from training.evaluate import MODEL, POPULARITY, Evaluation
from training.gate import Decision
from training.metrics import NDCG, RECALL
from training.tune import Tuning


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything that was found out about a model; None where nothing could be.

    `changes` are those since the version that serves.
    """

    evaluation: Evaluation | None
    cold: ColdEvaluation | None
    decision: Decision
    tuning: Tuning | None
    changes: Changes | None = None

    def metrics(self) -> dict[str, Any]:
        """Write the metrics for machines."""
        return {
            **(self.evaluation.to_dict() if self.evaluation else {}),
            **({"cold": self.cold.to_dict()} if self.cold else {}),
        }


def files(manifest: Manifest, findings: Findings, recommender: Recommender) -> dict[str, bytes]:
    """Make the files of a report: name -> content."""
    from training import plots  # the drawing library takes long to import, and only what is published has pictures

    pictures = {"neighbours.png": plots.neighbours(recommender)}
    if findings.evaluation:
        pictures["metrics.png"] = plots.metrics(findings.evaluation)
        pictures["popularity.png"] = plots.popularity(findings.evaluation)
    return {
        "report.json": orjson.dumps(_for_machines(manifest, findings), option=orjson.OPT_INDENT_2),
        "report.md": _for_people(manifest, findings, sorted(pictures)),
        **pictures,
    }


def told(evaluation: Evaluation | None) -> str:
    """Say in one line how good the model is."""
    if evaluation is None:
        return "Evaluation: no player has the games that it takes to hold some out"
    model, popularity = (evaluation.metrics[name][NDCG].value for name in (MODEL, POPULARITY))
    return f"Evaluation: {NDCG} {model:.3f} (popularity alone: {popularity:.3f}), {evaluation.players} players"


def _for_machines(manifest: Manifest, findings: Findings) -> dict[str, Any]:
    return {
        **manifest.model_dump(mode="json", exclude={"sha256", "digest"}),
        "tuning": findings.tuning.to_dict() if findings.tuning else None,
        "changes": findings.changes.to_dict() if findings.changes else None,
    }


def _for_people(manifest: Manifest, findings: Findings, pictures: list[str]) -> bytes:
    counts, decision = manifest.counts, findings.decision
    went = "promoted" if decision.promoted else "not promoted"
    forced = " (forced)" if decision.forced else ""
    lines = [
        f"# Model {manifest.version}",
        "",
        f"{counts.games} games, {counts.players} {manifest.data_kind} players, {counts.plays} plays.",
        "",
        f"**{went.capitalize()}**{forced}. {decision.reason}",
        "",
        *_metrics_table(findings.evaluation),
        *_cold_lines(findings.cold),
        *what_changed.lines(findings.changes),
        *_tuning_lines(findings.tuning),
        "## Pictures",
        "",
        *(f"![{name[:-4]}]({name})" for name in pictures),
        "",
        "## Configuration",
        "",
        "```json",
        orjson.dumps(manifest.config, option=orjson.OPT_INDENT_2).decode(),
        "```",
        "",
        "Games and their data: [RAWG](https://rawg.io/).",
        "",
    ]
    return "\n".join(lines).encode()


def _metrics_table(evaluation: Evaluation | None) -> list[str]:
    if evaluation is None:
        return ["No player has the games that it takes to hold some out: the model is not judged.", ""]
    names = list(evaluation.metrics[MODEL])
    rows = [
        f"| {name} | "
        + " | ".join(
            f"{found[name].value:.4f} ({found[name].low:.4f}–{found[name].high:.4f})"
            for found in evaluation.metrics.values()
        )
        + " |"
        for name in names
    ]
    return [
        "## Metrics",
        "",
        f"The games held out of {evaluation.players} players; in brackets the 95 % interval over players.",
        "",
        f"| | {' | '.join(evaluation.metrics)} |",
        f"|---{'|---' * len(evaluation.metrics)}|",
        *rows,
        "",
    ]


def _cold_lines(cold: ColdEvaluation | None) -> list[str]:
    if cold is None:
        return []
    return [
        "## Games that nobody has played",
        "",
        (
            f"All plays of {cold.games} games were hidden, and a model trained without them: {RECALL} of these games "
            f"{cold.recall.value:.4f} ({cold.recall.low:.4f}–{cold.recall.high:.4f}) for {cold.players} players; by "
            f"chance {cold.by_chance:.4f}."
        ),
        "",
    ]


def _tuning_lines(tuning: Tuning | None) -> list[str]:
    if tuning is None:
        return []
    trials = sorted(tuning.trials, key=lambda trial: -trial.score)
    return [
        "## Trials",
        "",
        f"| {NDCG} | numbers |",
        "|---|---|",
        *(f"| {trial.score:.4f} | {', '.join(f'{k} {v}' for k, v in trial.numbers.items())} |" for trial in trials),
        "",
    ]
