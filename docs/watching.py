"""What the rules and the dashboard under ``deploy/`` ask of the metrics, for the reference and for tests."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DEPLOY = Path(__file__).parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "assay.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "assay.json"

METRIC = re.compile(r"(?<![\w:$])(assay_\w+)(?![\w:])(\{[^}]*\})?")
RECORDED = re.compile(r"(?<![\w:])(\w+:assay_\w+:\w+)(?:\{[^}]*\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
PART = re.compile(r"_(?:bucket|sum|count)$")


class Use(NamedTuple):
    """One metric in an expression, with the labels that are asked for."""

    metric: str
    labels: frozenset[str]


def uses(expression: str) -> list[Use]:
    """Return the metrics of an expression in PromQL; a part of a histogram under its own name."""
    return [
        Use(found[1], frozenset(MATCHER.findall(re.sub(r'"[^"]*"', '""', found[2] or ""))))
        for found in METRIC.finditer(expression)
    ]


def groupings(expression: str) -> set[str]:
    """Return the labels by which an expression groups or joins."""
    return {
        label.strip() for found in GROUPING.findall(expression) for label in found.split(",") if label.strip()
    }


@cache
def rules() -> list[dict[str, Any]]:
    """Return every rule, those that record and those that alert."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> dict[str, str]:
    """Return what is recorded: the expression by its name."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


@cache
def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard that show something, without its rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield who asks, and the expression: every rule, every panel, every annotation."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in panels():
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for each in dashboard()["annotations"]["list"]:
        yield each["name"], each["expr"]


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that an expression comes from, also those behind what is recorded."""
    behind = [metrics_of(recorded()[name]) for name in RECORDED.findall(expression)]
    return {use.metric for use in uses(expression)}.union(*behind)


def used_by(name: str) -> tuple[list[str], list[str]]:
    """Return the alerts and the panels that a metric is in."""
    parts = {name, *(f"{name}_{part}" for part in ("bucket", "sum", "count"))}
    in_alerts = [rule["alert"] for rule in alerts() if parts & metrics_of(rule["expr"])]
    in_panels = [
        panel["title"]
        for panel in panels()
        if any(parts & metrics_of(target["expr"]) for target in panel["targets"])
    ]
    return in_alerts, in_panels
