"""The metrics of the training loop: the database's, whoever is asked, and none while it is away."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.documents import RAWG_QUOTA, Documents
from app.core.notices import Notices
from app.core.run import State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.loop_metrics import KEPT_SECONDS, LoopMetrics


def told(metrics: LoopMetrics) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }


def test_runs_and_notices_are_told(base: Database):
    runs = RunStore(base, lambda: 1000.0)
    runs.end(runs.begin(Trigger.COMMAND).run_id, State.FAILED, "x", steps=[StepTaken(Step.TRAIN, 1.0)])
    metrics = LoopMetrics("x", base)
    assert told(metrics) == {}
    metrics.refresh()

    steps: dict[tuple[str, ...], float] = {("x_run_failures_total", step): step == "train" for step in ("start", *Step)}
    assert told(metrics) == steps | {
        ("x_runs_total", "succeeded"): 0,
        ("x_runs_total", "failed"): 1,
        ("x_runs_total", "cancelled"): 0,
        ("x_last_run_timestamp_seconds", "failed"): 1000,
        ("x_notices", "waiting"): 1,
        ("x_notices", "done"): 0,
        ("x_notices", "given_up"): 0,
        ("x_notice_failures",): 0,
    }

    (notices := Notices(base)).failed(notices.claim(), "away")  # type: ignore[arg-type]  # there is one
    metrics.refresh()
    assert told(metrics)["x_notice_failures",] == 1


@pytest.mark.parametrize(("month", "left"), [(f"{datetime.now(UTC):%Y-%m}", 70), ("2025-01", 100)])
def test_a_month_that_is_over_leaves_all_of_the_quota(base: Database, month: str, left: int):
    Documents(base).put(RAWG_QUOTA, {"month": month, "limit": 100, "spent": 30, "remaining": 70})
    metrics = LoopMetrics("x", base)
    metrics.refresh()
    assert told(metrics)["x_rawg_quota_limit",] == 100
    assert told(metrics)["x_rawg_quota_remaining",] == left


def test_nothing_is_told_while_the_database_is_away(base: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    metrics = LoopMetrics("x", base)
    metrics.refresh()
    assert told(metrics)
    place = tmp_path / "data" / "interactions.db"
    place.rename(place.with_suffix(".away"))
    for _ in range(2):
        metrics.refresh()
        assert not told(metrics)
    output = capsys.readouterr()
    assert (output.out + output.err).count("the metrics of the loop are not shown") == 1

    place.with_suffix(".away").rename(place)
    metrics.refresh()
    assert told(metrics)


def test_nothing_is_told_while_the_database_hangs(base: Database):
    now = [0.0]
    metrics = LoopMetrics("x", base, lambda: now[0])
    metrics.refresh()
    now[0] = KEPT_SECONDS
    assert told(metrics)
    now[0] += 1
    assert not told(metrics)
