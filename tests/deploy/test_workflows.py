"""The workflows: what they may do, and that each of their commands does what it should, run here."""

import csv
import json
import re
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.sources import ROOT
from tests.corpus import SPAM_GROUPS, labelled
from tests.deploy.workflows import FILES, Runner, Step, jobs, read, run_steps, steps_of

SHA = "a1" * 20
TARGETS = ("service", "onnx", "train", "mlflow")
DIGESTS = " ".join(f"{name}@sha256:{n}{'0' * 63}" for n, name in enumerate(TARGETS))
LOGIN = 'docker login ghcr.io --username "$GITHUB_ACTOR" --password-stdin'
NOT_RUN_HERE = {
    "make check": "the linters of this very run",
    "make docs": "tests/test_docs.py",
    "make setup": "it made this environment",
    "make deploy-tools": "it made .venv/deploy",
    "make bench": "hours",
    "make audit": "it asks the network for known vulnerabilities",
    ".ci/run": "it runs this test",
    'git config --system --add safe.directory "$GITHUB_WORKSPACE"': "it changes the machine",
    "git diff --exit-code": "a checkout of one's own may differ",
    "docker buildx create --use": "needs Docker",
    f"printf '%s' \"$TOKEN\" | {LOGIN}": "needs Docker",
}
"""Run steps that nothing here runs whole, and why."""

DOCKER = """
echo "$*" >> docker.log
case "$*" in
*inspect*) for last in "$@"; do :; done
  sed -n "s|^$last ||p" images | tail -n 1 ;;
*create*) source="${@: -1}"; echo "$6 ${source#*@}" >> images ;;
*build\\ *) while [ "$1" != --tag ]; do shift; done
  case $2 in *-onnx:*) n=1 ;; *-train:*) n=2 ;; *-mlflow:*) n=3 ;; *) n=0 ;; esac
  echo "$2 sha256:$n$(printf '0%.0s' {1..63})" >> images ;;
esac
"""
"""A registry of containers as a list of names and digests, instead of Docker."""

KUBECTL = """
echo "$*" >> kubectl.log
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
"""Runs here what would run in the console."""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner over an empty folder, with what a checkout has and the steps name."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "images.sh", tmp_path / "deploy")
    runner = Runner(tmp_path, HOME=str(tmp_path))
    (tmp_path / "images").touch()
    runner.tool("docker", DOCKER)
    runner.tool("kubectl", KUBECTL)
    runner.tool("assay", f'exec {shlex.quote(sys.executable)} -m assay.cli "$@"\n')
    here = tmp_path / ".venv" / "bin"
    here.mkdir(parents=True)
    shutil.copy(runner.tools / "assay", here / "assay")
    return runner


def only(workflow: str, pattern: str) -> Step:
    """Return the one step of a workflow whose commands match."""
    [step] = steps_of(workflow, pattern)
    return step


def test_there_are_the_workflows_that_the_docs_name() -> None:
    assert [path.stem for path in FILES] == ["ci", "deploy", "image", "promote", "rollback", "train"]
    page = (ROOT / "docs" / "deploy" / "workflows.md").read_text(encoding="utf-8")
    assert [path.name for path in FILES if f"`{path.name}`" not in page] == []
    used = set(re.findall(r"(?:secrets|vars)\.(\w+)", "".join(path.read_text("utf-8") for path in FILES)))
    assert [name for name in used - {"GITHUB_TOKEN"} if f"`{name}`" not in page] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_workflow_may_do_little_and_ends(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    assert workflow.get("concurrency") or all("concurrency" in job for job in workflow["jobs"].values())
    assert "pull_request_target" not in workflow[True]
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job or "uses" in job
        assert job.get("permissions", {}).items() <= {"contents": "read", "packages": "write"}.items()


def test_actions_are_github_s_own_or_of_this_repository() -> None:
    used = [step["uses"] for *_, job in jobs() for step in job.get("steps", ()) if "uses" in step]
    assert set(used) == {"actions/checkout@v5", "actions/setup-python@v6", "actions/upload-artifact@v6"}
    assert {job["uses"] for *_, job in jobs() if "uses" in job} == {"./.github/workflows/deploy.yml"}


@pytest.mark.parametrize("step", run_steps(), ids=lambda step: f"{step.workflow}-{step.name}")
def test_a_script_is_short_and_has_nothing_from_outside_in_it(step: Step) -> None:
    assert "${{" not in step.script, "give it as a variable of the environment"
    assert len(step.script.strip().splitlines()) <= 6


def test_a_checkout_keeps_no_credentials() -> None:
    steps = [step for *_, job in jobs() for step in job.get("steps", ())]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


def test_production_has_an_environment_that_asks_for_approval_and_comes_after_staging() -> None:
    image, deploy = (read(ROOT / ".github" / "workflows" / f"{name}.yml") for name in ("image", "deploy"))
    assert image["jobs"]["production"]["needs"] == ["build", "staging"]
    assert image["jobs"]["production"]["with"]["environment"] == "production"
    assert deploy["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"
    seats = [read(path)["jobs"][path.stem] for path in FILES if path.stem in ("promote", "rollback")]
    assert [job["environment"] for job in seats] == ["production"] * 2


def test_every_command_is_run_below_or_said_why_not() -> None:
    run = ("assay train", "assay report", "assay promote", "assay rollback", "assay health", "helm upgrade")
    run += ("deploy/images.sh", "GITHUB_ENV")
    left = [step.script for step in run_steps() if not any(each in step.script for each in run)]
    assert sorted(set(left) - set(NOT_RUN_HERE)) == []
    assert sorted(set(NOT_RUN_HERE) - set(left)) == []


@pytest.mark.parametrize("target", sorted(name for name in NOT_RUN_HERE if name.startswith("make ")))
def test_targets_of_make_exist(target: str) -> None:
    assert re.search(rf"^{target.split()[1]}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)


def write_task(runner: Runner, *, min_rows: int, strength: float) -> None:
    """Write a task of few rows beside the checkout; its gate wants so many held-out rows."""
    rows = runner.folder / "rows.csv"
    with rows.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(*labelled(SPAM_GROUPS, 150, 0), strict=True)])
    (runner.folder / "tasks").mkdir(exist_ok=True)
    (runner.folder / "tasks" / "mine.toml").write_text(
        'name = "mine"\nlabels = ["ham", "spam"]\npositive = "spam"\nexperiment = "mine"\nmodel = "Mine"\n'
        f'[data]\nsource = "{rows}"\n[estimator]\nmin_df = 1\nC = {strength}\n[gate]\nmin_rows = {min_rows}\n'
    )


REGISTRY = {"ASSAY_TRACKING_URI": "", "ASSAY_DATABASE": "", "ASSAY_USER": "ann@github", "TASK": "mine"}
SEAT = {"NAMESPACE": "assay", "TASK": "mine", "VERSION": "", "REASON": "", "SEAT": "production"}


def trained_by(runner: Runner) -> dict[str, Any]:
    """Run the steps of train.yml that follow a checkout; return what the first leaves for the others."""
    trained = runner.run(only("train", "assay train"), **REGISTRY)
    candidate: dict[str, Any] = json.loads((runner.folder / "build" / "candidate.json").read_text())
    told = runner.run(only("train", "assay report"), **REGISTRY)
    assert told.returncode == 0, told.stderr
    assert (runner.folder / "build" / "report" / "report.html").is_file()
    return candidate | {"code": trained.returncode, "said": trained.stderr}


def test_the_gate_decides_and_the_console_moves_seats(runner: Runner, empty_database: Path) -> None:
    (runner.folder / ".assay").mkdir()
    shutil.copy(empty_database, runner.folder / ".assay" / "mlflow.db")
    promote, rollback = only("promote", "assay promote"), only("rollback", "assay rollback")

    write_task(runner, min_rows=20, strength=10.0)
    passed = trained_by(runner)
    assert (passed["code"], passed["gate"], passed["version"]) == (0, "passed", "1"), passed["said"]
    card = runner.summary.read_text()
    assert card.startswith("# ")
    assert "Gate passed" in card
    done = runner.run(promote, **SEAT | {"VERSION": "1"})
    assert done.returncode == 0, done.stderr
    assert "version 1 is now production" in runner.summary.read_text()

    write_task(runner, min_rows=100_000, strength=1.0)
    blocked = trained_by(runner)
    assert (blocked["code"], blocked["gate"], blocked["version"]) == (2, "blocked", "2")
    assert "Gate blocked" in runner.summary.read_text()[len(card) :]
    # What a pipe's first command says fails the step, too.
    assert runner.run(promote, **SEAT | {"VERSION": "2"}).returncode != 0
    assert runner.run(promote, **SEAT | {"VERSION": "2", "REASON": "-- a person read it"}).returncode == 0
    done = runner.run(rollback, **SEAT | {"REASON": "-worse"})
    assert done.returncode == 0, done.stderr
    assert runner.summary.read_text().rstrip().endswith("version 1 is production again.")
    log = (runner.folder / "kubectl.log").read_text()
    assert "--namespace assay deployment/assay-console -- env ASSAY_USER=ann@github assay rollback" in log


@pytest.mark.parametrize("workflow", ["promote", "rollback"])
def test_what_was_typed_is_no_option_and_no_command(runner: Runner, workflow: str) -> None:
    runner.tool("assay", 'printf "<%s>" "$@"; echo')
    typed = {"TASK": "--help", "VERSION": '$(touch owned) "1"; touch owned', "REASON": "`touch owned` --x"}
    done = runner.run(only(workflow, f"assay {workflow}"), **SEAT | typed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"<--><--help><{typed['VERSION']}>")
    assert not (runner.folder / "owned").exists()


def test_images_are_built_once_and_only_named_again(runner: Runner) -> None:
    given = {"SHA": SHA, "SOURCE": "https://example.org/team/assay", "DIGESTS": DIGESTS}
    assert runner.run(only("image", "GITHUB_ENV"), **given).returncode == 0
    assert runner.kept.read_text() == "IMAGE=ghcr.io/team/assay\n"
    done = runner.run(only("image", "images.sh build"), **given)
    assert done.returncode == 0, done.stderr
    assert runner.output.read_text() == f"digests={DIGESTS}\n"
    assert runner.run(only("image", "images.sh scan"), **given).returncode == 0
    assert runner.run(only("image", "images.sh tag"), **given).returncode == 0
    given["NAMESPACE"] = "assay"
    assert runner.run(only("deploy", "images.sh verify"), **given).returncode == 0
    assert runner.run(only("deploy", "images.sh tag"), **given).returncode == 0
    log = (runner.folder / "docker.log").read_text().splitlines()
    assert [line.split()[1] for line in log].count("build") == 4
    service = f"ghcr.io/team/assay@{DIGESTS.split()[0].partition('@')[2]}"
    tags = ["latest", "production", f"production-{SHA}", f"prod-{SHA}"]
    create = "buildx imagetools create --prefer-index=false --tag ghcr.io/team/assay"
    made = [line for line in log if "create" in line and line.endswith(service)]
    assert made == [f"{create}:{tag} {service}" for tag in tags]
    assert sum("--fail-on high" in line for line in log) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DIGESTS": ""}, "DIGESTS is empty"),
        ({"DIGESTS": "service@sha256:12"}, "is no TARGET@sha256:DIGEST"),
        ({"DIGESTS": f"{DIGESTS} x@sha256:{'0' * 64}"}, "is no TARGET@sha256:DIGEST"),
        ({"SHA": "main"}, "'main' is no commit"),
        ({"DIGESTS": f"service@sha256:{'9' * 64}"}, f"ghcr.io/team/assay:main-{SHA} is not sha256:999"),
    ],
)
def test_other_digests_are_refused(runner: Runner, change: dict[str, str], said: str) -> None:
    (runner.folder / "images").write_text(f"ghcr.io/team/assay:main-{SHA} sha256:{'1' * 64}\n")
    given = {"SHA": SHA, "DIGESTS": DIGESTS, "NAMESPACE": "assay", "IMAGE": "ghcr.io/team/assay"} | change
    done = runner.run(only("deploy", "images.sh verify"), **given)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_tag_that_became_another_image_is_refused(runner: Runner) -> None:
    runner.tool("docker", 'case "$*" in *inspect*) echo sha256:other ;; esac')
    given = {"SHA": SHA, "DIGESTS": DIGESTS, "NAMESPACE": "assay", "IMAGE": "ghcr.io/team/assay"}
    done = runner.run(only("deploy", "images.sh tag"), **given)
    assert done.returncode == 1
    assert "assay:production is not sha256:000" in done.stderr


def test_a_verb_or_a_target_that_there_is_not_is_refused(runner: Runner) -> None:
    step = only("deploy", "images.sh verify")
    given = {"SHA": SHA, "DIGESTS": DIGESTS, "NAMESPACE": "assay", "IMAGE": "i"}
    for verb in ("", "push", "digest api"):
        assert runner.run(replace(step, script=f"deploy/images.sh {verb}"), **given).returncode == 1


def test_the_chart_takes_what_an_upgrade_sets(runner: Runner) -> None:
    helm = ROOT / ".venv" / "deploy" / "bin" / "helm"
    if not helm.is_file():
        pytest.skip("helm is not installed: make deploy-tools")
    (runner.folder / "deploy" / "helm").symlink_to(ROOT / "deploy" / "helm")
    tools = runner.folder / ".venv" / "deploy" / "bin"
    tools.mkdir(parents=True)
    # The same chart, values and flags; without a cluster the manifests are as far as it goes.
    (tools / "helm").write_text(f'#!/bin/bash\nshift 2\nexec {helm} template "$@"\n')
    (tools / "helm").chmod(0o755)
    given = {"SHA": SHA, "DIGESTS": DIGESTS, "NAMESPACE": "a", "IMAGE": "ghcr.io/team/assay", "VALUES": ""}
    done = runner.run(only("deploy", "helm upgrade"), **given)
    assert done.returncode == 0, done.stderr
    images = set(re.findall(r"image: [\"']?([^\"'\s]+)", done.stdout))
    service, _, train, _ = (each.partition("@")[2] for each in DIGESTS.split())
    assert images == {f"ghcr.io/team/assay@{service}", f"ghcr.io/team/assay-train@{train}"}


@pytest.mark.parametrize("workflow", ["deploy", "promote", "rollback"])
def test_the_access_to_the_cluster_is_a_file_that_nobody_else_reads(runner: Runner, workflow: str) -> None:
    given = {"ACCESS": "apiVersion: v1", "NAMESPACE": "a", "SHA": SHA, "DIGESTS": DIGESTS}
    done = runner.run(only(workflow, "kubeconfig"), **given)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    file = runner.folder / "kubeconfig"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("apiVersion: v1\n", 0o600)
    assert runner.kept.read_text() == f"KUBECONFIG={file}\n"


def test_a_step_is_found_by_its_commands_and_one_that_is_renamed_is_missed() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        only("train", "assay fit")
