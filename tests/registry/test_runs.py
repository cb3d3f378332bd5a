import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.exceptions import ArtifactError, RegistryError
from assay.registry.runs import metric_name
from tests.registry.conftest import Bench


def run_of(bench: Bench, run_id: str) -> Any:
    with bench.registry._client.session() as mlflow:
        return mlflow.get_run(run_id)


def runs_of(bench: Bench) -> list[Any]:
    with bench.registry._client.session() as mlflow:
        experiment = mlflow.get_experiment_by_name(bench.task.experiment)
        return list(mlflow.search_runs([experiment.experiment_id]))


def files_of(bench: Bench, run_id: str, folder: str | None = None) -> set[str]:
    with bench.registry._client.session() as mlflow:
        listed = list(mlflow.list_artifacts(run_id, folder))
    return {
        name
        for each in listed
        for name in (files_of(bench, run_id, each.path) if each.is_dir else {each.path})
    }


def test_run_holds_values_and_every_file(any_bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "training.log"
    log.write_text("fit the model (0.1 s)\n")
    params = {f"p{number}": number for number in range(230)} | {"random_state": 0, "ngrams": (1, 2)}
    run_id = any_bench.run(params=params, metrics={"f1": 0.9, "spam/recall": 0.5}, log=log)

    run = run_of(any_bench, run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"f1": 0.9, "spam/recall": 0.5}
    assert run.data.params == {key: str(value) for key, value in params.items()}
    assert run.data.tags["numpy"] == "2.4.0"
    assert run.data.tags["assay.task"] == "spam"
    assert run.data.tags["mlflow.source.git.commit"] == "0" * 40
    artifact = {f"model/{name}" for name in (*any_bench.manifest.files, "manifest.json", "MLmodel")}
    report = {"report.json", "metrics.json", "confusion_matrix.json", "model_card.md"}
    expected = artifact | {f"report/{name}" for name in report}
    assert files_of(any_bench, run_id) == expected | {
        "report/plots/confusion_matrix.png",
        "training.log",
    }


def test_dataset_of_the_manifest_is_logged_as_mlflows_dataset(bench: Bench, tmp_path: Path) -> None:
    folder = shutil.copytree(bench.artifact, tmp_path / "artifact")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["dataset"] = {"name": "sms-spam", "fingerprint": "f" * 64, "rows": {"train": {"ham": 9}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    run = run_of(bench, bench.run(artifact=folder))
    (logged,) = run.inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("sms-spam", "f" * 36)
    assert run.data.tags["dataset_fingerprint"] == "f" * 64


def test_artifacts_of_a_database_store_lie_under_home(bench: Bench) -> None:
    run = run_of(bench, bench.run())
    assert run.info.artifact_uri.startswith((bench.home / "artifacts").as_uri())


def test_runs_of_a_task_share_its_experiment_of_the_training_kind(bench: Bench) -> None:
    bench.run()
    bench.run()
    assert len(runs_of(bench)) == 2
    with bench.registry._client.session() as mlflow:
        tags = mlflow.get_experiment_by_name(bench.task.experiment).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"


def test_broken_run_is_marked_failed_and_makes_no_version(bench: Bench) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        bench.run(metrics={"f1": "high"})
    assert [run.info.status for run in runs_of(bench)] == ["FAILED"]
    assert bench.registry.versions(bench.model) == []


def test_files_that_cannot_be_kept_fail_the_run_with_the_reason(bench: Bench) -> None:
    first = run_of(bench, bench.run())
    folder = Path(first.info.artifact_uri.removeprefix("file://")).parent.parent
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("a file where the folder should be")
    with pytest.raises(RegistryError, match=r"could not be kept.*free the disk"):
        bench.run()
    assert sorted(run.info.status for run in runs_of(bench)) == ["FAILED", "FINISHED"]


def test_run_that_cannot_even_be_marked_keeps_the_first_error(bench: Bench) -> None:
    class Breaking(dict[str, float]):
        def items(self) -> Any:
            Path(bench.uri.removeprefix("sqlite:///")).write_bytes(b"no database any more" * 1000)
            return super().items()

    with pytest.raises(RegistryError, match="refused") as raised:
        bench.run(metrics=Breaking(f1=0.9))
    assert "could not be marked FAILED" in "".join(getattr(raised.value.__cause__, "__notes__", []))


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from assay.config import parse_task
from assay.database import Database
from assay.registry import Registry
import json
uri, home, artifact, report, task = sys.argv[1:]
class Values(dict):
    def items(self):
        os.kill(os.getpid(), signal.SIGINT)
        return super().items()
registry = Registry(uri, Path(home), Database(f"sqlite:///{home}/assay.db"))
registry.log_run(parse_task(json.loads(task), source="test"), artifact=Path(artifact),
    report=Path(report), metrics=Values(f1=0.9), params={}, tags={})
"""


def test_interrupted_run_is_marked_killed(bench: Bench) -> None:
    arguments = [bench.uri, str(bench.home), str(bench.artifact), str(bench.report)]
    command = [sys.executable, "-c", INTERRUPTED, *arguments, bench.task.model_dump_json()]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == -signal.SIGINT, outcome.stderr
    assert [run.info.status for run in runs_of(bench)] == ["KILLED"]


def test_folder_that_is_no_artifact_is_refused_before_a_run_begins(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    with pytest.raises(ArtifactError, match=r"is not an artifact: manifest\.json cannot be read"):
        bench.run(artifact=tmp_path)
    assert len(runs_of(bench)) == 1


def test_deleted_experiment_says_how_to_restore_it(bench: Bench) -> None:
    bench.run()
    with bench.registry._client.session() as mlflow:
        mlflow.delete_experiment(mlflow.get_experiment_by_name(bench.task.experiment).experiment_id)
    with pytest.raises(RegistryError, match=r"was deleted in MLflow.*experiments restore"):
        bench.run()


def test_metric_names_keep_what_mlflow_allows(bench: Bench) -> None:
    assert metric_name("hate_speech/f1_low") == "hate_speech/f1_low"
    assert metric_name("a+b/f1") == "a_2b_b/f1"
    assert metric_name("très bien/f1") == "très bien/f1"
    odd = {f"{label}/f1": 0.5 for label in ("a+b", "a&b", "日本", "100%", "it's", '"q"', "x\ny", "a(b)")}
    run = run_of(bench, bench.run(metrics=odd))
    assert len(run.data.metrics) == len(odd)


def test_user_without_a_name_may_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert run_of(bench, bench.run()).data.tags["mlflow.user"] == "unknown"
