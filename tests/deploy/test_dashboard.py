"""The dashboard for Grafana: panels that lie apart, explain themselves, and ask what Prometheus grasps."""

import re
import shutil
import subprocess
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import watching
from tests.contracts.sources import ROOT

FOLDER = ROOT / "deploy" / "grafana"
COLUMNS = 24
VARIABLES = {"$__rate_interval": "5m", "${datasource}": "x"}


def all_panels() -> list[dict[str, Any]]:
    """Return the panels with the rows that part them."""
    found: list[dict[str, Any]] = watching.dashboard()["panels"]
    return found


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """Return the cells of the grid that a panel covers."""
    at = panel["gridPos"]
    return set(product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))


def plain(expression: str) -> str:
    """Return an expression as Prometheus is asked it, with something for every variable."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return re.sub(r"\$(job|task|version)\b", ".*", expression)


def test_every_panel_has_an_id_and_a_title_of_its_own() -> None:
    assert max(Counter(panel["id"] for panel in all_panels()).values()) == 1
    assert max(Counter(panel["title"] for panel in all_panels()).values()) == 1


def test_panels_lie_in_the_grid_and_not_on_each_other() -> None:
    covered = Counter(cell for panel in all_panels() for cell in cells(panel))
    assert max(covered.values()) == 1
    assert all(0 <= x < COLUMNS for x, _ in covered)


@pytest.mark.parametrize("panel", watching.panels(), ids=lambda panel: panel["title"])
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["type"] in {"timeseries", "stat", "heatmap", "table"}
    assert panel["targets"]
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)


@pytest.mark.parametrize("panel", watching.panels(), ids=lambda panel: panel["title"])
def test_series_are_named_by_labels_that_they_have(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert named <= watching.groupings(target["expr"])


def test_a_data_source_tasks_and_versions_can_be_chosen() -> None:
    variables = {each["name"]: each for each in watching.dashboard()["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "task", "version"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    for name in ("job", "task", "version"):
        asked = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variables[name]["definition"])
        assert asked
        assert asked[2] == name
        assert watching.used_by(asked[1])[1]


def test_every_variable_that_is_used_exists() -> None:
    names = {each["name"] for each in watching.dashboard()["templating"]["list"]} | {"__rate_interval"}
    used = {name for _, expression in watching.expressions() for name in re.findall(r"\$(\w+)", expression)}
    assert used <= names
    assert used >= names - {"datasource"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed: no promtool")
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    asked = [expression for _, expression in watching.expressions()]
    rules = [{"record": f"asked:{number}", "expr": plain(each)} for number, each in enumerate(asked)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(asked)} rules found" in done.stdout


def test_grafana_is_told_of_the_data_source_and_of_the_dashboards() -> None:
    provisioned = FOLDER / "provisioning"
    source = yaml.safe_load((provisioned / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    [prometheus] = source["datasources"]
    assert (prometheus["type"], prometheus["isDefault"]) == ("prometheus", True)
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    assert prometheus["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
    found = yaml.safe_load((provisioned / "dashboards" / "assay.yml").read_text(encoding="utf-8"))
    [provider] = found["providers"]
    assert (provider["type"], set(provider["options"])) == ("file", {"path"})
