"""The rules for Prometheus: names and labels that exist, alerts that fire and that say what to do."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from assay.telemetry.metrics.families import families
from docs import watching
from tests.contracts.sources import ROOT
from tests.test_docs import anchors

FOLDER = ROOT / "deploy" / "prometheus"
CASES = sorted((FOLDER / "tests").glob("*.yml"))
SCRAPED = frozenset({"job", "instance"})
FAMILIES = {family.name: family for family in families()}
TEMPLATE = re.compile(r"\{\{(.*?)\}\}")
HUMANE = {"humanize", "humanize1024", "humanizeDuration", "humanizePercentage"}
TOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed: no promtool")


def promtool(*arguments: str) -> str:
    """Run promtool and return what it says; it must find no fault."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=FOLDER, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def family_of(metric: str) -> tuple[str, frozenset[str]]:
    """Return the family that a name belongs to, and the labels that it may be asked for."""
    whole = watching.PART.sub("", metric)
    if metric not in FAMILIES and whole in FAMILIES and FAMILIES[whole].kind == "histogram":
        return whole, SCRAPED | {*FAMILIES[whole].labels, "le"}
    return metric, SCRAPED | set(FAMILIES[metric].labels)


def labels_of_recorded(name: str) -> frozenset[str]:
    """Return the labels of what is recorded, which its name begins with."""
    return frozenset(name.partition(":")[0].split("_"))


@pytest.mark.parametrize(("who", "expression"), [*watching.expressions()])
def test_expressions_ask_for_metrics_and_labels_that_exist(who: str, expression: str) -> None:
    known: set[str] = set()
    for use in watching.uses(expression):
        family, labels = family_of(use.metric)
        assert family in FAMILIES
        assert use.labels <= labels, f"{who}: {use.metric} has no labels {set(use.labels - labels)}"
        known |= labels
    for name in watching.RECORDED.findall(expression):
        assert name in watching.recorded()
        known |= labels_of_recorded(name)
    assert watching.groupings(expression) <= known
    assert known or who == "AssayDown"


@pytest.mark.parametrize(("name", "expression"), [*watching.recorded().items()])
def test_the_name_of_what_is_recorded_says_its_labels(name: str, expression: str) -> None:
    # What it is divided by may be coarser.
    finest = max(
        (
            {each.strip() for each in found.split(",")} - {"le"}
            for found in re.findall(r"\bby\s*\(([^)]*)\)", expression)
        ),
        key=len,
    )
    assert labels_of_recorded(name) == finest


@pytest.mark.parametrize("metric", FAMILIES)
def test_every_metric_is_on_the_dashboard_or_in_an_alert(metric: str) -> None:
    assert watching.used_by(metric) != ([], [])


def test_a_metric_or_label_that_does_not_exist_is_seen() -> None:
    [use] = watching.uses('sum by (task) (rate(assay_decisions_total{tier="model", task=~"a|b=c"}[5m]))')
    assert use == ("assay_decisions_total", {"tier", "task"})
    assert not use.labels <= family_of(use.metric)[1]
    with pytest.raises(KeyError):
        family_of("assay_decision_total")
    # Only a histogram has parts.
    with pytest.raises(KeyError):
        family_of("assay_in_flight_bucket")


@pytest.mark.parametrize("rule", watching.alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_happened_and_what_to_do(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(notes) == {"summary", "description", "runbook"}
    assert 20 < len(notes["summary"]) < 160
    assert len(notes["description"]) > 100
    page, _, anchor = notes["runbook"].partition("#")
    assert anchor in anchors((ROOT / page).read_text(encoding="utf-8"))


def cases() -> list[tuple[str, str, list[dict[str, str]]]]:
    """Return alert, title and the labels that it has in a case, none where it stays silent."""
    found = []
    for path in CASES:
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for asked in case["promql_expr_test"]:
                alert = re.fullmatch(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}', asked["expr"])
                assert alert, asked["expr"]
                labels = [
                    dict(re.findall(r'(\w+)="([^"]*)"', each["labels"])) for each in asked["exp_samples"]
                ]
                found.append((alert[1], case["name"], labels))
    return found


@pytest.mark.parametrize("rule", watching.alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_fires_in_one_case_and_is_silent_in_another(rule: dict[str, Any]) -> None:
    own = [labels for alert, _, labels in cases() if alert == rule["alert"]]
    assert any(own)
    assert not all(own)
    # What a template asks for is empty, and not refused, where the alert has no such label.
    asked = {
        part.strip()
        for note in rule["annotations"].values()
        for found in TEMPLATE.findall(note)
        for part in found.split("|")
    }
    wanted = {part.removeprefix("$labels.") for part in asked if part.startswith("$labels.")}
    assert asked - {f"$labels.{label}" for label in wanted} <= {"$value", *HUMANE}
    assert all(wanted <= set(labels) for case in own for labels in case)


def test_cases_are_of_alerts_that_exist() -> None:
    assert {alert for alert, *_ in cases()} == {rule["alert"] for rule in watching.alerts()}
    for alert, title, labels in cases():
        assert title.startswith(f"{alert} fires: " if labels else f"{alert} stays silent: ")


@TOOL
def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")
    assert f"{len(watching.rules())} rules found" in promtool("check", "rules", "assay.rules.yml")


@TOOL
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_alert_does_in_prometheus_what_its_cases_say(path: Any) -> None:
    assert "SUCCESS" in promtool("test", "rules", str(path))
