"""`dvc repro` in a repository of a team's own: dvc.yaml beside its task file, every stage for real."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import assay
from assay.cli import build_parser
from assay.settings import Settings
from tests.conftest import write_csv
from tests.contracts.sources import ROOT
from tests.corpus import SPAM_GROUPS
from tests.rulesets import RULES_TOML

OWN = ROOT / ".venv" / "dvc" / "bin" / "dvc"
DVC = str(OWN) if OWN.is_file() else shutil.which("dvc")
STAGES = ["data", "train", "evaluate", "gate"]
RULES = RULES_TOML.partition('[[rule]]\nid = "urgent"')[0]
TASK = """name = "mine"
labels = ["ham", "spam"]
positive = "spam"
rules = "mine.rules.toml"

[data]
source = "mine.csv"
text = "T"
label = "L"

[estimator]
min_df = 1

[gate]
min_f1 = 0.5
"""


def surroundings(folder: Path) -> dict[str, str]:
    """Return an environment in which DVC finds this Assay and leaves the account's own settings alone."""
    left = {key: value for key, value in os.environ.items() if not key.startswith(("ASSAY_", "MLFLOW_"))}
    apart = {
        f"DVC_{name}_DIR": str(folder / name) for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**left, **apart, "PATH": path, "SHELL": "/bin/sh", "DVC_NO_ANALYTICS": "1", "CI": "true"}


def run(team: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a team's repository to its end; it may fail."""
    environment = surroundings(team.parent)
    return subprocess.run(command, cwd=team, env=environment, capture_output=True, text=True, timeout=600)


def dvc(team: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of DVC."""
    assert DVC is not None
    return run(team, DVC, *arguments)


def stages_run(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the stages that ran, in their order."""
    return re.findall(r"^Running stage '(\w+)'", done.stdout, re.MULTILINE)


def left(team: Path, name: str) -> dict[str, object]:
    """Return what a stage left."""
    values: dict[str, object] = json.loads((team / "candidate" / name).read_text(encoding="utf-8"))
    return values


def in_production(team: Path) -> str | None:
    """Return the number of the version that answers."""
    return assay.load("mine", settings=Settings(home=team / ".assay")).version


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def begin(team: Path, database: Path) -> None:
    """Make a team's repository: its rows, its task, its rules, and dvc.yaml as docs/dvc.md says."""
    (team / ".assay").mkdir(parents=True)
    shutil.copy(database, team / ".assay" / "mlflow.db")
    write_csv(team / "mine.csv", SPAM_GROUPS)
    (team / "mine.toml").write_text(TASK, encoding="utf-8")
    (team / "mine.rules.toml").write_text(RULES, encoding="utf-8")
    (team / ".gitignore").write_text(".assay/\n", encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", team)
    rewrite(team / "dvc.yaml", "rows: tasks/quickstart/spam.toml", "rows: mine.csv")
    rewrite(team / "dvc.yaml", "task: tasks/quickstart/spam.toml", "task: mine.toml")
    rewrite(team / "dvc.yaml", "tasks/spam.rules.toml", "mine.rules.toml")
    author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("git", "init", "-q"), (str(DVC), "init", "-q"), ("git", "add", "-A"),
                    ("git", *author, "commit", "-qm", "Begin")):  # fmt: skip
        assert run(team, *command).returncode == 0


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A repository after its first ``dvc repro``, the candidate in production."""
    if DVC is None:
        pytest.skip("dvc is not installed; install it with: make dvc")
    team = tmp_path_factory.mktemp("dvc") / "team"
    begin(team, empty_database)
    done = dvc(team, "repro")
    assert (done.returncode, stages_run(done)) == (0, STAGES), done.stdout + done.stderr
    assert run(team, "assay", "promote", "mine.toml", "1").returncode == 0
    return team


@pytest.fixture
def team(reproduced: Path, tmp_path: Path) -> Path:
    """A copy of that repository to change."""
    return shutil.copytree(reproduced, tmp_path / "team", symlinks=True)


def test_every_command_of_the_stages_can_be_typed() -> None:
    described = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    assert list(described["stages"]) == STAGES
    for stage in described["stages"].values():
        command = stage["cmd"].partition(" || ")[0].replace("${task}", described["vars"][0]["task"])
        program, *arguments = shlex.split(command)
        assert program == "assay"
        assert build_parser().parse_args(arguments).output.parts[0] == "candidate"
    assert [path for path in described["vars"][0].values() if not (ROOT / path).is_file()] == []


def test_each_stage_leaves_what_the_next_one_and_a_person_need(reproduced: Path) -> None:
    rows, trained, gate = (left(reproduced, f"{name}.json") for name in ("data", "train", "gate"))
    assert rows["source"] == "mine.csv"
    assert (trained["task"], trained["version"], trained["gate"]) == ("mine", "1", "passed")
    assert (gate["version"], gate["passed"], gate["rows_fingerprint"]) == ("1", True, trained["rows"])
    shown = json.loads(dvc(reproduced, "metrics", "show", "--json").stdout)[""]["data"]
    assert "f1" in shown["candidate/report/metrics.json"]["data"]
    assert "plots/confusion_matrix.png" in dvc(reproduced, "plots", "show", "--json").stdout


def test_nothing_runs_when_nothing_has_changed(team: Path) -> None:
    done = dvc(team, "repro")
    assert (done.returncode, stages_run(done)) == (0, [])
    assert "Data and pipelines are up to date." in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "stages"),
    [
        ("mine.csv", "T,L", "T,L\r\nwin a prize at once,spam", STAGES),
        ("mine.rules.toml", "[[rule]]", "# why\n[[rule]]", ["train"]),
        ("mine.toml", "min_df = 1", "min_df = 2", ["train", "evaluate", "gate"]),
        ("mine.toml", "min_f1 = 0.5", "min_f1 = 0.6", ["train", "evaluate", "gate"]),
        ("mine.toml", 'label = "L"', 'label = "L"\ntest = 0.3', STAGES),
    ],
    ids=["rows", "rules", "estimator", "gate", "split"],
)
def test_what_changed_decides_which_stages_are_due(
    team: Path, file: str, old: str, new: str, stages: list[str]
) -> None:
    rewrite(team / file, old, new)
    assert sorted(json.loads(dvc(team, "status", "--json").stdout)) == sorted(stages)


@pytest.mark.proof
def test_a_blocked_candidate_stops_at_the_gate_and_production_stays(team: Path) -> None:
    rewrite(team / "mine.toml", "min_f1 = 0.5", "min_f1 = 1.0")
    done = dvc(team, "repro")
    assert stages_run(done) == ["train", "evaluate", "gate"]
    assert done.returncode != 0
    assert "failed to reproduce 'gate'" in done.stderr
    assert "exited with 2" in done.stderr
    trained, gate = left(team, "train.json"), left(team, "gate.json")
    assert (trained["version"], trained["gate"], gate["passed"]) == ("2", "blocked", False)
    assert (team / "candidate" / "report" / "model_card.md").is_file()
    assert in_production(team) == "1"
    again = dvc(team, "repro")
    assert (again.returncode != 0, stages_run(again)) == (True, ["gate"])

    # DVC saw this task file before; its cache must not stand in for a version of the registry.
    rewrite(team / "mine.toml", "min_f1 = 1.0", "min_f1 = 0.5")
    assert stages_run(dvc(team, "repro", "train")) == ["train"]
    assert left(team, "train.json")["version"] == "3"
