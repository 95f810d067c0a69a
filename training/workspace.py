"""What the steps of a run leave for each other, where each is a process of its own: files in the run's folder."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydantic import TypeAdapter

from app.core.artifact import Artifact
from app.core.catalogue import Catalogue
from app.core.errors import TrainingError
from app.core.files import write_atomically
from app.core.recommender import Recommender
from app.core.settings import Settings
from training.bootstrap import Estimate
from training.candidate import Candidate, CatalogueSource, Origin
from training.cold import ColdEvaluation
from training.evaluate import Evaluation
from training.gate import Decision
from training.hold_out import HeldOut
from training.metrics import Ranked
from training.pages import Collection
from training.publishing import Judged, describe
from training.report import Findings
from training.tune import Tuning
from training.validation import RecordCounts

_Metrics = dict[str, dict[str, Estimate]]


class Workspace:
    """A run's folder. Reading what no step has left yet raises `TrainingError`."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        """Use the folder of a run, which need not exist yet."""
        self._folder = settings.data_dir / "runs" / run_id

    def keep_source(self, pages: Collection | None) -> None:
        """Keep where the catalogue comes from."""
        self._write("source", Path | None, pages.folder if pages else None)

    def source(self) -> Collection | None:
        """Read where the catalogue comes from; None for the starter catalogue."""
        folder = self._read("source", Path | None)
        return None if folder is None else Collection.read(folder)

    def keep_catalogue(self, catalogue: Catalogue, records: RecordCounts) -> None:
        """Keep the valid games."""
        self._write("catalogue", list[Any], list(catalogue))
        self._write("records", RecordCounts, records)

    def catalogue(self) -> Catalogue:
        """Read the valid games."""
        return Catalogue.from_games(self._read("catalogue", list[Any]))

    def records(self) -> RecordCounts:
        """Read what the validation counted."""
        found: RecordCounts = self._read("records", RecordCounts)
        return found

    def keep_candidate(self, made: Candidate, champion: str | None) -> None:
        """Keep a trained model, and the version that was current when it was trained."""
        manifest = describe(made, datetime.now(UTC))
        folder = self._folder / "candidate" / manifest.version
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        Artifact(manifest, {**made.recommender.to_arrays(), **made.held_out.to_arrays()}).write(folder)
        self._write("tuning", Tuning | None, made.tuning)
        self._write("cold", ColdEvaluation | None, made.cold)
        self._write("started_at", float, made.started_at)
        self._write("champion", str | None, champion)

    def candidate(self) -> Candidate:
        """Read the trained model."""
        artifact = self._artifact()
        manifest = artifact.manifest
        source: CatalogueSource = manifest.catalogue_source
        return Candidate(
            recommender=Recommender.from_arrays(artifact.arrays),
            held_out=HeldOut.from_arrays(artifact.arrays),
            config=manifest.config,
            origin=Origin(manifest.data_kind, source, manifest.counts.plays_left_out),
            tuning=self._read("tuning", Tuning | None),
            cold=self._read("cold", ColdEvaluation | None),
            started_at=self._read("started_at", float),
        )

    def champion(self) -> str | None:
        """Name the version that was current when the candidate was trained."""
        found: str | None = self._read("champion", str | None)
        return found

    def keep_findings(self, findings: Findings) -> None:
        """Keep what was found out about the candidate."""
        self._write("decision", Decision, findings.decision)
        evaluation = findings.evaluation
        self._write("metrics", _Metrics | None, evaluation and evaluation.metrics)
        if evaluation:
            lists = {name: ranked.lists for name, ranked in evaluation.ranked.items()}
            np.savez(self._folder / "evaluation.npz", allow_pickle=False, known=evaluation.known, **lists)

    def judged(self) -> Judged:
        """Read the candidate and what was found out about it."""
        made = self.candidate()
        findings = Findings(self._evaluation(made), made.cold, self._read("decision", Decision), made.tuning)
        return Judged(made, findings)

    def keep_result(self, result: dict[str, Any]) -> None:
        """Keep what came of the run, for machines."""
        self._write("result", dict[str, Any], result)

    def result(self) -> dict[str, Any] | None:
        """Read what came of the run; None where it has not come to its end."""
        return self._read("result", dict[str, Any]) if (self._folder / "result.json").exists() else None

    def keep_error(self, error: str | None) -> None:
        """Keep why a step failed; None once a later attempt went well."""
        self._write("error", str | None, error)

    def error(self) -> str | None:
        """Read why the last step failed."""
        found: str | None = self._read("error", str | None) if (self._folder / "error.json").exists() else None
        return found

    def remove(self) -> None:
        """Remove it all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _artifact(self) -> Artifact:
        folders = list((self._folder / "candidate").glob("*"))
        if not folders:
            raise _missing("candidate")
        return Artifact.load(folders[0])

    def _evaluation(self, made: Candidate) -> Evaluation | None:
        metrics = self._read("metrics", _Metrics | None)
        if metrics is None:
            return None
        wanted = [case.wanted for case in made.held_out.cases(made.recommender.histories)]
        with np.load(self._folder / "evaluation.npz", allow_pickle=False) as arrays:
            ranked = {name: Ranked(arrays[name], wanted) for name in metrics}
            return Evaluation(len(made.held_out), metrics, ranked, arrays["known"])

    def _write(self, name: str, kind: Any, value: object) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        content = TypeAdapter(kind).dump_python(value, mode="json")
        write_atomically(self._folder / f"{name}.json", orjson.dumps(content))

    def _read(self, name: str, kind: Any) -> Any:
        try:
            content = (self._folder / f"{name}.json").read_bytes()
        except FileNotFoundError:
            raise _missing(name) from None
        return TypeAdapter(kind).validate_json(content)


def _missing(name: str) -> TrainingError:
    return TrainingError(f"The run's folder holds no {name}: the step that makes it has not gone well.")
