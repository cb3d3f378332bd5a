"""Every deployment file passes the tool that its users check it with."""

from pathlib import Path

import pytest
import yaml

from tests.contracts.sources import ROOT
from tests.deploy.tools import needs, passes, run

DOCKERFILES = sorted(ROOT.glob("Dockerfile*"))
COMPOSE = sorted(ROOT.glob("*compose*.y*ml"))
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.y*ml"))
SCRIPTS = sorted([*ROOT.glob("requirements/*.sh"), *ROOT.glob("deploy/**/*.sh"), ROOT / ".ci" / "run"])
PROMETHEUS = sorted(
    path
    for path in (ROOT / "deploy" / "prometheus").glob("*.yml")
    if "scrape_configs" in yaml.safe_load(path.read_text(encoding="utf-8"))
)


def names(paths: list[Path]) -> set[str]:
    """Return the names of files."""
    return {path.name for path in paths}


def test_what_is_linted_is_what_there_is_to_deploy() -> None:
    assert names(DOCKERFILES) >= {"Dockerfile"}
    assert names(COMPOSE) >= {"compose.yaml"}
    wanted = ("ci", "train", "image", "deploy", "promote", "rollback")
    assert names(WORKFLOWS) >= {f"{name}.yml" for name in wanted}
    assert names(SCRIPTS) >= {"install.sh", "torch.sh", "secrets.sh", "run"}
    assert names(PROMETHEUS) >= {"prometheus.yml"}


@needs("hadolint")
def test_dockerfiles(tmp_path: Path) -> None:
    passes("hadolint", "--failure-threshold", "warning", *DOCKERFILES, home=tmp_path)


@needs("docker-compose")
def test_compose_files_with_every_profile(tmp_path: Path) -> None:
    for path in COMPOSE:
        passes("docker-compose", "--file", path, "--profile", "*", "config", "--quiet", home=tmp_path)


@needs("actionlint", "shellcheck")
def test_workflows_and_the_scripts_in_them(tmp_path: Path) -> None:
    passes("actionlint", *WORKFLOWS, home=tmp_path)


@needs("shellcheck")
def test_scripts(tmp_path: Path) -> None:
    passes("shellcheck", *SCRIPTS, home=tmp_path)


@needs("promtool")
def test_what_prometheus_scrapes(tmp_path: Path) -> None:
    for path in PROMETHEUS:
        passes("promtool", "check", "config", "--syntax-only", path, home=tmp_path)


@pytest.mark.parametrize(
    ("tool", "arguments", "name", "text", "says"),
    [
        pytest.param(
            "hadolint",
            ("--failure-threshold", "warning", "{}"),
            "Dockerfile",
            "FROM debian:latest\n",
            "DL3007",
            marks=needs("hadolint"),
        ),
        pytest.param(
            "docker-compose",
            ("--file", "{}", "config", "--quiet"),
            "compose.yaml",
            "services: {one: {imag: x}}\n",
            "imag",
            marks=needs("docker-compose"),
        ),
        pytest.param(
            "actionlint",
            ("{}",),
            "one.yml",
            "on: push\njobs: {one: {runs-on: ubuntu-24.04, steps: [{run: 'echo $undefined[1'}]}}\n",
            "shellcheck",
            marks=needs("actionlint", "shellcheck"),
        ),
    ],
)
def test_a_fault_is_seen(
    tmp_path: Path, tool: str, arguments: tuple[str, ...], name: str, text: str, says: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    done = run(tool, *(each.format(path) for each in arguments), home=tmp_path)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
