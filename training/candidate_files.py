"""What training, judging and publishing leave for each other, where each is a process of its own."""

import shutil
from datetime import UTC, datetime

import numpy as np

from app.core.artifact import Artifact
from app.core.recommender import Recommender
from training.bootstrap import Estimate
from training.candidate import Candidate, CatalogueSource, Origin
from training.cold import ColdEvaluation
from training.evaluate import Evaluation
from training.gate import Decision
from training.hold_out import HeldOut
from training.metrics import Ranked
from training.publishing import Judged, describe
from training.report import Findings
from training.tune import Tuning
from training.workspace import Workspace, missing

_Metrics = dict[str, dict[str, Estimate]]


class CandidateFiles:
    """A candidate in a run's folder. Reading what no step has left yet raises `TrainingError`."""

    def __init__(self, workspace: Workspace) -> None:
        """Use the folder of a run."""
        self._workspace = workspace

    def keep(self, made: Candidate) -> None:
        """Keep a trained model."""
        manifest = describe(made, datetime.now(UTC))
        folder = self._workspace.folder / "candidate" / manifest.version
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        Artifact(manifest, {**made.recommender.to_arrays(), **made.held_out.to_arrays()}).write(folder)
        self._workspace.write("tuning", Tuning | None, made.tuning)
        self._workspace.write("cold", ColdEvaluation | None, made.cold)
        self._workspace.write("started_at", float, made.started_at)

    def read(self) -> Candidate:
        """Read the trained model."""
        artifact = self._artifact()
        manifest = artifact.manifest
        source: CatalogueSource = manifest.catalogue_source
        return Candidate(
            recommender=Recommender.from_arrays(artifact.arrays),
            held_out=HeldOut.from_arrays(artifact.arrays),
            config=manifest.config,
            origin=Origin(manifest.data_kind, source, manifest.counts.plays_left_out),
            tuning=self._workspace.read("tuning", Tuning | None),
            cold=self._workspace.read("cold", ColdEvaluation | None),
            started_at=self._workspace.read("started_at", float),
        )

    def keep_findings(self, findings: Findings) -> None:
        """Keep what was found out about the candidate."""
        self._workspace.write("decision", Decision, findings.decision)
        evaluation = findings.evaluation
        self._workspace.write("metrics", _Metrics | None, evaluation and evaluation.metrics)
        if evaluation:
            lists = {name: ranked.lists for name, ranked in evaluation.ranked.items()}
            np.savez(self._workspace.folder / "evaluation.npz", allow_pickle=False, known=evaluation.known, **lists)

    def judged(self) -> Judged:
        """Read the candidate and what was found out about it."""
        made = self.read()
        findings = Findings(self._evaluation(made), made.cold, self._workspace.read("decision", Decision), made.tuning)
        return Judged(made, findings)

    def _artifact(self) -> Artifact:
        folders = list((self._workspace.folder / "candidate").glob("*"))
        if not folders:
            raise missing("candidate")
        return Artifact.load(folders[0])

    def _evaluation(self, made: Candidate) -> Evaluation | None:
        metrics = self._workspace.read("metrics", _Metrics | None)
        if metrics is None:
            return None
        wanted = [case.wanted for case in made.held_out.cases(made.recommender.histories)]
        with np.load(self._workspace.folder / "evaluation.npz", allow_pickle=False) as arrays:
            ranked = {name: Ranked(arrays[name], wanted) for name in metrics}
            return Evaluation(len(made.held_out), metrics, ranked, arrays["known"])
