"""The workflows as GitHub reads them, and their run steps as a shell here runs them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contracts.sources import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


@dataclass(frozen=True)
class Step:
    """One step of a job that runs commands, with the variables that are set for it."""

    workflow: str
    job: str
    name: str
    script: str
    variables: Mapping[str, str]
    condition: str


@cache
def read(path: Path) -> dict[Any, Any]:
    """Return a workflow; YAML reads its key ``on`` as true."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(workflow, dict)
    return workflow


def jobs() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield the jobs of all workflows."""
    for path in FILES:
        for name, job in read(path)["jobs"].items():
            yield path, name, job


def run_steps() -> list[Step]:
    """Return every step that runs commands."""
    found = []
    for path, job_name, job in jobs():
        for step in job.get("steps", ()):
            if "run" in step:
                variables = job.get("env", {}) | step.get("env", {})
                name = step.get("name", step["run"])
                found.append(Step(path.stem, job_name, name, step["run"], variables, str(step.get("if", ""))))
    return found


def steps_of(workflow: str, pattern: str = "") -> list[Step]:
    """Return the steps of a workflow whose commands match."""
    return [step for step in run_steps() if step.workflow == workflow and re.search(pattern, step.script)]


class Runner:
    """Runs steps in a folder as a hosted runner does: bash -eo pipefail, with its files and variables."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.tools = folder, folder / "tools"
        self.tools.mkdir()
        self.summary, self.output, self.kept = folder / "summary.md", folder / "output", folder / "kept"
        for file in (self.summary, self.output, self.kept):
            file.touch()
        shell = {"PATH": f"{self.tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        files = {"GITHUB_STEP_SUMMARY": self.summary, "GITHUB_OUTPUT": self.output, "GITHUB_ENV": self.kept}
        known = {"GITHUB_ACTOR": "ann", "GITHUB_REPOSITORY": "Team/Assay", "RUNNER_TEMP": str(folder)}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
        self.variables = clean | shell | known | {name: str(path) for name, path in files.items()} | variables

    def tool(self, name: str, script: str) -> None:
        """Put a command in front of all others."""
        path = self.tools / name
        path.write_text(f"#!/bin/bash\n{script}")
        path.chmod(0o755)

    def run(self, step: Step, **given: str) -> subprocess.CompletedProcess[str]:
        """Run one step; ``given`` are the values of the variables that it takes from expressions."""
        expressions = {name for name, value in step.variables.items() if "${{" in value}
        assert expressions <= set(given) | set(self.variables), f"{step.name} needs {expressions}"
        plain = {name: value for name, value in step.variables.items() if name not in expressions}
        kept = dict(line.split("=", 1) for line in self.kept.read_text().splitlines())
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.script],
            cwd=self.folder,
            env=self.variables | kept | plain | given,
            capture_output=True,
            text=True,
            timeout=300,
        )
