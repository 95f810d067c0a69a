"""The files that lie beside a version."""

import json
import struct

import numpy as np
import pytest

from app.core.recommender import Recommender
from tests.worlds import artifact, manifest, six_games
from training import report
from training.bootstrap import Estimate
from training.changes import compare
from training.cold import ColdEvaluation
from training.evaluate import evaluate
from training.fitting import TrainingConfig
from training.gate import Decision
from training.hold_out import HeldOut
from training.report import Findings
from training.tune import Trial, Tuning

WORLD = Recommender.from_arrays(artifact().arrays)
EVALUATION = evaluate(WORLD, HeldOut.from_arrays(artifact().arrays))
PROMOTED = Decision(promoted=True, reason="There is no other version to serve.")
EVERYTHING = Findings(
    evaluation=EVALUATION,
    cold=ColdEvaluation(games=3, players=7, recall=Estimate(0.25, 0.2, 0.3), by_chance=0.01),
    decision=Decision(promoted=False, reason="It is worse.", forced=False),
    tuning=Tuning(TrainingConfig(), (Trial({"collaborative.l2": 20.0}, 0.3), Trial({"collaborative.l2": 5.0}, 0.4))),
    changes=compare(artifact(), artifact("20251231T000000-000000"), drift_warning=0.2),
)
NOTHING = Findings(evaluation=None, cold=None, decision=PROMOTED, tuning=None)


def is_picture(content: bytes) -> bool:
    """Tell whether this is a PNG of a size to look at."""
    width, height = struct.unpack(">II", content[16:24])
    return content.startswith(b"\x89PNG") and width > 600 and height > 400


def test_there_is_a_report_for_machines_for_people_and_pictures():
    files = report.files(manifest(), EVERYTHING, WORLD)

    assert set(files) == {"report.json", "report.md", "metrics.png", "popularity.png", "neighbours.png"}
    assert all(is_picture(content) for name, content in files.items() if name.endswith(".png"))
    found = json.loads(files["report.json"])
    assert found["version"] == manifest().version
    assert found["tuning"]["trials"][1] == {"numbers": {"collaborative.l2": 5.0}, "score": 0.4}
    assert found["changes"]["before"] == "20251231T000000-000000"
    assert "sha256" not in found


def test_people_read_what_matters_first():
    text = report.files(manifest(), EVERYTHING, WORLD)["report.md"].decode()

    assert text.startswith("# Model 20260101T000000-000000\n\n6 games, 3 simulated players, 9 plays.\n")
    assert "**Not promoted**. It is worse." in text
    assert "| ndcg@10 | 1.0000 (1.0000–1.0000) |" in text
    assert "| | model | popularity | random |" in text
    assert "All plays of 3 games were hidden" in text
    assert "0.2500 (0.2000–0.3000) for 7 players; by chance 0.0100." in text
    assert "## What changed\n\nCompared with 20251231T000000-000000, " in text
    assert text.index("| 0.4000 | collaborative.l2 5.0 |") < text.index("| 0.3000 | collaborative.l2 20.0 |")
    assert "![metrics](metrics.png)" in text
    assert "[RAWG](https://rawg.io/)" in text


def test_a_forced_promotion_says_so():
    forced = Findings(None, None, Decision(promoted=True, reason="It is worse.", forced=True), None)

    assert b"**Promoted** (forced). It is worse." in report.files(manifest(), forced, WORLD)["report.md"]


def test_where_nothing_could_be_found_out_the_report_says_so():
    files = report.files(manifest(), NOTHING, WORLD)

    assert set(files) == {"report.json", "report.md", "neighbours.png"}
    assert b"the model is not judged" in files["report.md"]
    assert b"What changed" not in files["report.md"]
    assert json.loads(files["report.json"])["changes"] is None
    assert NOTHING.metrics() == {}


def test_a_model_without_neighbours_has_a_picture_too():
    arrays = six_games().to_arrays()
    empty = {
        **arrays,
        **{
            f"{name}_{part}": np.zeros(7 if part == "indptr" else 0, arrays[f"{name}_{part}"].dtype)
            for name in ("collaborative", "cold")
            for part in ("indptr", "indices", "weights")
        },
    }

    assert is_picture(report.files(manifest(), NOTHING, Recommender.from_arrays(empty))["neighbours.png"])


def test_the_findings_become_the_manifest_s_metrics():
    assert list(EVERYTHING.metrics()) == ["players", "model", "popularity", "random", "cold"]


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        (EVERYTHING, "Evaluation: ndcg@10 1.000 (popularity alone: "),
        (NOTHING, "Evaluation: no player has the games that it takes to hold some out"),
    ],
)
def test_one_line_tells_how_good_the_model_is(findings: Findings, line: str):
    assert report.told(findings.evaluation).startswith(line)
