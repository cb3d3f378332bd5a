import json
from pathlib import Path

import pytest

from assay.exceptions import RegistryError
from tests.registry.conftest import Bench, gate_for


def test_registered_version_carries_what_identifies_it(bench: Bench) -> None:
    version = bench.register()
    assert (version.model, version.number, version.task) == (bench.model, "1", "spam")
    assert (version.stage, version.aliases, version.gate) == ("None", (), "passed")
    assert version.digest == bench.manifest.digest
    assert json.loads(version.tags["assay.labels"]) == ["ham", "spam"]
    assert json.loads(version.tags["assay.gate.decision"])["rows_fingerprint"] == "rows-1"
    assert version.created_at.utcoffset() is not None


def test_versions_are_listed_oldest_first(bench: Bench) -> None:
    for _ in range(11):
        bench.register(passed=None)
    assert [each.number for each in bench.registry.versions(bench.model)] == [str(n) for n in range(1, 12)]
    assert bench.registry.version(bench.model, "latest").number == "11"


def test_unknown_model_has_no_versions_and_no_production(bench: Bench) -> None:
    assert bench.registry.versions("Ghost") == []
    assert bench.registry.production("Ghost") is None


def test_gate_of_another_artifact_is_refused(bench: Bench, sentiment_artifact: Path) -> None:
    from assay.estimators import read_manifest

    other = gate_for(read_manifest(sentiment_artifact))
    with pytest.raises(RegistryError, match="The gate judged the artifact"):
        bench.registry.register(bench.task, bench.run(), manifest=bench.manifest, gate=other)
    assert bench.registry.versions(bench.model) == []
    bench.register()
    with pytest.raises(RegistryError, match="The gate judged the artifact"):
        bench.registry.record_gate(bench.model, "1", other)


def test_artifact_of_another_task_is_refused(bench: Bench) -> None:
    task = bench.task.model_copy(update={"name": "mail"})
    with pytest.raises(RegistryError, match="decides 'spam'; it cannot become a version of the task 'mail'"):
        bench.registry.register(task, bench.run(), manifest=bench.manifest, gate=None)


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED"])
def test_unfinished_run_becomes_no_version(bench: Bench, status: str) -> None:
    run_id = bench.run()
    with bench.registry._client.session() as mlflow:
        mlflow.update_run(run_id, status=status)
    with pytest.raises(RegistryError, match=f"is {status}, so its artifacts may be incomplete"):
        bench.registry.register(bench.task, run_id, manifest=bench.manifest, gate=None)
    assert bench.registry.versions(bench.model) == []


@pytest.mark.parametrize("name", ["model.safetensors", "manifest.json"])
def test_run_without_all_files_becomes_no_version(bench: Bench, name: str) -> None:
    run_id = bench.run()
    with bench.registry._client.session() as mlflow:
        uri = mlflow.get_run(run_id).info.artifact_uri
    (Path(uri.removeprefix("file://")) / "model" / name).unlink()
    with pytest.raises(RegistryError, match=rf"(lacks|has no) .*{name}.*no version was created"):
        bench.registry.register(bench.task, run_id, manifest=bench.manifest, gate=None)
    assert bench.registry.versions(bench.model) == []


def test_manifest_of_another_artifact_is_refused(bench: Bench) -> None:
    manifest = bench.manifest.model_copy(update={"digest": "f" * 64})
    with pytest.raises(RegistryError, match=r"is '.*', not 'ffffffffffff'"):
        bench.registry.register(bench.task, bench.run(), manifest=manifest, gate=None)


def test_unknown_run_is_refused(bench: Bench) -> None:
    with pytest.raises(RegistryError, match=r"refused: Run with id=.* not found"):
        bench.registry.register(bench.task, "0" * 32, manifest=bench.manifest, gate=None)
