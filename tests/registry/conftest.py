"""Stores of every kind, and a bench that registers versions in them."""

import shutil
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from assay.config import GatePolicy, Task
from assay.database import Database
from assay.estimators import Manifest, load_artifact, read_manifest
from assay.gate import Check, GateDecision
from assay.registry import Registry, Version

NUMBERS = count(1)


def gate_for(
    manifest: Manifest, *, passed: bool = True, champion: str | None = None, rows: str = "rows-1"
) -> GateDecision:
    """Return a gate's decision about an artifact."""
    check = Check(name="f1", observed=0.9, required=0.85, passed=passed, sentence="F1 is 0.9.")
    return GateDecision(
        passed=passed,
        checks=(check,),
        policy=GatePolicy(),
        rows_fingerprint=rows,
        candidate_version="",
        candidate_digest=manifest.digest,
        champion_version=champion,
    )


def registry_at(uri: str, home: Path) -> Registry:
    """Return a registry whose log is beside its home's other files."""
    return Registry(uri, home, Database(f"sqlite:///{home / 'assay.db'}"))


@dataclass
class Bench:
    """A registry with a task whose model nobody else uses."""

    uri: str
    home: Path
    artifact: Path
    report: Path
    task: Task
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = registry_at(self.uri, self.home)

    @property
    def model(self) -> str:
        return self.task.model

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.artifact)

    def run(self, **parts: object) -> str:
        """Log a run and return its id."""
        values = {
            "artifact": self.artifact,
            "report": self.report,
            "metrics": {"f1": 0.9, "spam/recall": 0.8},
            "params": {"estimator.C": 1.0},
            "tags": {"numpy": "2.4.0"},
            **parts,
        }
        return self.registry.log_run(self.task, **values)  # type: ignore[arg-type]

    def register(
        self, *, passed: bool | None = True, champion: str | None = None, rows: str = "rows-1"
    ) -> Version:
        """Return a new version; ``passed`` None leaves it without a gate decision."""
        manifest = self.manifest
        gate = None if passed is None else gate_for(manifest, passed=passed, champion=champion, rows=rows)
        return self.registry.register(self.task, self.run(), manifest=manifest, gate=gate)

    def promote(self, reference: str, **options: Any) -> Version:
        """Give a version a seat, in the name of ann."""
        return self.registry.promote(self.model, reference, **{"who": "ann", **options})

    def rollback(self, reference: str | None = None, **options: Any) -> Version:
        """Bring a version back, in the name of ann."""
        return self.registry.rollback(self.model, reference, **{"who": "ann", **options})

    def settle(self) -> list[str]:
        """Return what was out of step, in the name of ann."""
        return self.registry.settle(self.model, who="ann")

    def faults(self) -> list[str]:
        """Return what the check of the log found, models of other benches apart: their logs are elsewhere."""
        found = self.registry.verify().faults
        return [each for each in found if self.model in each or "Classifier version" not in each]

    def states(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return the stage and the aliases of every version."""
        return {each.number: (each.stage, each.aliases) for each in self.registry.versions(self.model)}

    def mlflow_states(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return the same as MLflow's own client has it."""
        with self.registry._client.session() as mlflow:
            aliases = mlflow.get_registered_model(self.model).aliases
            found = mlflow.search_model_versions(f"name='{self.model}'")
            return {
                str(each.version): (
                    each.current_stage,
                    tuple(
                        sorted(alias for alias, number in aliases.items() if int(number) == int(each.version))
                    ),
                )
                for each in sorted(found, key=lambda each: int(each.version))
            }


@pytest.fixture
def report_folder(tmp_path: Path) -> Path:
    """What ``write_report`` leaves, small."""
    folder = tmp_path / "made" / "report"
    (folder / "plots").mkdir(parents=True)
    for name in ("report.json", "metrics.json", "confusion_matrix.json"):
        (folder / name).write_text("{}")
    (folder / "model_card.md").write_text("# Card")
    (folder / "plots" / "confusion_matrix.png").write_bytes(b"\x89PNG")
    return folder


def make_bench(uri: str, tmp_path: Path, artifact: Path, report: Path) -> Bench:
    """Return a bench on a store, under names of its own."""
    number = next(NUMBERS)
    names = {"model": f"Spam{number}Classifier", "experiment": f"spam detection/{number}"}
    task = load_artifact(artifact).task.model_copy(update=names)
    return Bench(uri=uri, home=tmp_path / "home", artifact=artifact, report=report, task=task)


@pytest.fixture
def sqlite_uri(tmp_path: Path, empty_database: Path) -> str:
    """An sqlite store without runs, in the home folder."""
    path = tmp_path / "home" / "mlflow.db"
    path.parent.mkdir()
    shutil.copy(empty_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
def bench(sqlite_uri: str, tmp_path: Path, spam_artifact: Path, report_folder: Path) -> Bench:
    """A bench on sqlite."""
    return make_bench(sqlite_uri, tmp_path, spam_artifact, report_folder)


@pytest.fixture
def http_bench(http_uri: str, tmp_path: Path, spam_artifact: Path, report_folder: Path) -> Bench:
    """A bench on an MLflow server."""
    return make_bench(http_uri, tmp_path, spam_artifact, report_folder)


@pytest.fixture(params=["sqlite_uri", "http_uri", "postgres_uri"])
def any_bench(
    request: pytest.FixtureRequest, tmp_path: Path, spam_artifact: Path, report_folder: Path
) -> Bench:
    """A bench on each kind of store."""
    return make_bench(request.getfixturevalue(request.param), tmp_path, spam_artifact, report_folder)
