"""Runbooks have their parts, alerts and runbooks name each other, and commands for containers exist."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.arguments import build_parser
from assay.exceptions import AssayError
from docs import watching
from tests.contracts.sources import ROOT
from tests.deploy.runbooks import FOLDER, PAGES, Step, steps_of

TRIED = Path(__file__).with_name("test_runbooks.py")
CHART = ROOT / "deploy" / "helm" / "assay"
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
SECTIONS = ("How you notice", "What to run", "It worked when", "Go back", "If it did not work")
ALL = [(path.stem, step) for path in PAGES for step in steps_of(path)]


@pytest.mark.parametrize("page", [path.stem for path in PAGES])
def test_a_runbook_has_its_parts_in_order(page: str) -> None:
    text = (FOLDER / f"{page}.md").read_text("utf-8")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE))[: len(SECTIONS)] == SECTIONS
    assert {step.where for step in steps_of(FOLDER / f"{page}.md")} == {"", "compose", "kubernetes"}


def test_every_runbook_is_tried() -> None:
    tried = set(re.findall(r'follow\("([\w-]+)"\)', TRIED.read_text("utf-8")))
    assert tried == {path.stem for path in PAGES}


@pytest.mark.parametrize("alert", watching.alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_and_its_runbook_name_each_other(alert: dict[str, Any]) -> None:
    pages = {path.stem for path in PAGES if f"`{alert['alert']}`" in noticed(path)}
    named = Path(alert["annotations"]["runbook"].partition("#")[0]).stem
    assert named in (pages or {"index"})


def noticed(page: Path) -> str:
    """Return how a page says that its case is noticed."""
    return page.read_text("utf-8").partition("## How you notice")[2].partition("\n## ")[0]


def test_alerts_that_runbooks_name_exist() -> None:
    known = {rule["alert"] for rule in watching.alerts()}
    named = {name for path in PAGES for name in re.findall(r"`(Assay[A-Z]\w+)`", path.read_text("utf-8"))}
    assert named - known == set()


@pytest.mark.parametrize("step", [step for _, step in ALL], ids=[page for page, _ in ALL])
def test_commands_can_be_meant(step: Step) -> None:
    done = subprocess.run(["bash", "-n", "-c", step.text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for words in map(shlex.split, step.lines if step.where else ()):
        for given in arguments_of(words):
            build_parser().parse_args(given)
        assert [name for name in services_of(words) if name not in SERVICES] == []
        assert [name for name in workloads_of(words) if not (CHART / "templates" / name).exists()] == []
        assert [path for path in values_of(words) if not is_value(path)] == []


def arguments_of(words: list[str]) -> Iterator[list[str]]:
    """Yield what is given to assay in a line for Compose or Kubernetes."""
    for at, word in enumerate(words):
        if word == "assay" and (words[at - 1] in ("--", "api-1") or "ASSAY_USER" in words[at - 1]):
            yield words[at + 1 :]
        if words[at : at + 2] == ["--entrypoint", "assay"]:
            rest = words[at + 2 :]
            yield rest[next(n for n, one in enumerate(rest) if one in SERVICES) + 1 :]


def services_of(words: list[str]) -> Iterator[str]:
    """Yield the services that a line of Compose names."""
    if words[:2] != ["docker", "compose"]:
        return
    named = [word for word in words[3:] if not word.startswith("-")]
    if words[2] in ("up", "stop"):
        yield from named
    elif words[2] == "exec" or (words[2] == "run" and "--entrypoint" not in words):
        yield named[0]


def workloads_of(words: list[str]) -> Iterator[str]:
    """Yield the templates of the chart that make what a line names, like deploy/assay-console."""
    for word in words:
        if found := re.fullmatch(r"(?:--from=)?(?:deploy|cronjob)/assay-?(\w*)", word):
            yield f"{found[1] or 'deployment'}.yaml"


def values_of(words: list[str]) -> Iterator[str]:
    """Yield the values of the chart that a line sets."""
    yield from (words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "--set")


def is_value(path: str) -> bool:
    """Return whether the chart has a value."""
    found = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None


@pytest.mark.parametrize(
    "line",
    [
        "docker compose exec api-3 assay doctor",
        "kubectl -n assay exec deploy/assay-shell -- true",
        "helm upgrade assay deploy/helm/assay --set autoscaling.most=3",
        "kubectl -n assay exec deploy/assay-console -- assay rollback",
    ],
)
def test_a_command_that_cannot_be_meant_is_seen(line: str) -> None:
    with pytest.raises((AssertionError, AssayError, SystemExit)):
        test_commands_can_be_meant(Step(line, "compose"))
