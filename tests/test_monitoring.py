"""What Prometheus and Grafana are given: it is valid, it works, and it names nothing that the service does not tell."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.core.documents import Documents
from app.core.run import State, Step, StepTaken, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.worlds import publish

DEPLOY = Path(__file__).parents[1] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
GRAFANA = DEPLOY / "grafana"
KEY = "admin-key-of-the-tests"

METRIC = re.compile(r"game_recommender_\w+")
SELECTOR = re.compile(r"(game_recommender_\w+)\{([^}]*(?:\{user_id\}[^}]*)?)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
OF_PROMETHEUS = {"job", "instance", "le"}


def promtool(*arguments: str) -> str:
    program = shutil.which("promtool")
    assert program, "There is no promtool: install the package `prometheus` (apt-get install prometheus)."
    ran = subprocess.run([program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_prometheus_takes_the_configuration_and_the_rules():
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")
    assert "SUCCESS" in promtool("check", "rules", "alerts.yml")


def test_every_alert_fires_when_it_should_and_is_silent_else():
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_alert_says_what_is_wrong_and_where_to_read_on_and_is_tested():
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    is_silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
        page, anchor = rule["annotations"]["runbook_url"].split("#")
        headings = re.findall(r"^### (.+)$", (DEPLOY.parent / page).read_text(), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
        if rule["alert"] != "LastRunFailed":  # fires as soon as there is a run
            assert rule["alert"] in is_silent
        assert rule["alert"] in fires


def test_the_operators_page_warns_at_the_same_limits():
    page = (DEPLOY.parent / "app" / "web" / "static" / "ops" / "status.js").read_text()
    (limits,) = re.findall(r"const LIMITS = \{(.*?)\}", page, re.DOTALL)
    shown = {name: number(text) for name, text in re.findall(r"(\w+): ([\d.* ]+),", limits)}
    alerts = {rule["alert"]: re.findall(r"[<>] ([\d.* ]+)", rule["expr"]) for rule in rules() if rule["alert"] in shown}
    assert len(shown) == 5
    assert shown == {name: number(text) for name, (text, *_) in alerts.items()}
    assert {name for name in shown if f"LIMITS.{name}" not in page} == set()
    (fewest,) = re.findall(r"FEWEST_ANSWERS = (\d+)", page)
    (fallbacks,) = (rule["expr"] for rule in rules() if rule["alert"] == "FallbacksFrequent")
    assert f"> {fewest}" in fallbacks


def number(text: str) -> float:
    """Work out a product as it is written."""
    return prod(map(float, text.split("*")))


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "game-recommender.json").read_text())
    return read


def expressions() -> list[str]:
    of_panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    of_annotations = [one["expr"] for one in dashboard()["annotations"]["list"]]
    of_variables = [one["definition"] for one in dashboard()["templating"]["list"] if "definition" in one]
    return [*of_panels, *of_annotations, *of_variables, *(rule["expr"] for rule in rules())]


@pytest.fixture
def told() -> dict[str, set[str]]:
    """The metrics of a service in which everything has happened once: sample name -> its labels."""
    publish(ModelStore(Path("models")))
    app = create_app(Settings(admin_api_key=SecretStr(KEY), retrain_enabled=False))
    with TestClient(app, headers={"X-API-Key": KEY}, raise_server_exceptions=False) as client:
        runs = RunStore(app.state.database)
        runs.end(runs.begin(Trigger.COMMAND).run_id, State.FAILED, "x", steps=[StepTaken(Step.TRAIN, 1.0)])
        quota = {"month": f"{datetime.now(UTC):%Y-%m}", "limit": 20000, "spent": 250, "remaining": 19750}
        Documents(app.state.database).put("rawg_quota", quota)
        client.post("/interactions", json={"user_id": "ann", "game_id": 30, "kind": "like"})
        client.get("/recommend/ann")
        app.state.live_model._loaded = None
        client.get("/recommend/ann?n=3")
        app.state.live_model.refresh()
        app.state.loop_metrics.refresh()
        text = client.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


def test_every_metric_and_label_that_is_named_is_told(told: dict[str, set[str]]):
    for expression in expressions():
        named = METRIC.findall(expression)
        assert set(named) <= set(told), expression
        for metric, selector in SELECTOR.findall(expression):
            labels = LABEL.findall(re.sub(r'"[^"]*"', '""', selector))
            assert set(labels) - OF_PROMETHEUS <= told[metric], expression
        known = OF_PROMETHEUS.union(*(told[metric] for metric in named))
        for grouped in GROUPED.findall(expression):
            assert {label.strip() for label in grouped.split(",")} <= known, expression


def test_every_metric_that_is_told_is_shown(told: dict[str, set[str]]):
    shown = {metric for expression in expressions() for metric in METRIC.findall(expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told if not name.endswith("_created")}
    assert families == {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}


def test_the_dashboard_can_be_provisioned():
    panels = dashboard()["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    assert {"id", "uid"} & set(dashboard()) == {"uid"}  # a numeric id belongs to one Grafana
    assert {one["name"]: one["type"] for one in dashboard()["templating"]["list"]} == {
        "datasource": "datasource",
        "job": "query",
    }
    assert {panel["type"] for panel in panels} <= {"row", "stat", "timeseries"}  # which are part of Grafana
    for panel in panels:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Is the loop healthy?",
        "Traffic",
        "Model",
        "Training",
    ]


def test_the_panels_do_not_overlap():
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_grafana_finds_its_data_source_and_the_dashboard():
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "prometheus")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "game-recommender.yml").read_text())["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", "/etc/grafana/dashboards")
