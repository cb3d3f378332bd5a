import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from assay.exceptions import LockHeld, RegistryError
from assay.gate import Check, GateDecision
from assay.registry import books, read_gate, registration
from assay.registry.gating import policy_fingerprint
from assay.registry.store import parse_store
from assay.registry.versions import read_model
from tests.registry.conftest import Bench, gate_for, registry_at


def test_registered_version_carries_what_identifies_it(bench: Bench) -> None:
    version = bench.register()
    assert (version.model, version.number, version.task) == (bench.model, "1", "spam")
    assert (version.stage, version.aliases, version.gate) == ("None", (), "passed")
    assert version.digest == bench.manifest.digest
    assert json.loads(version.tags["assay.labels"]) == ["ham", "spam"]
    assert version.manifest == hashlib.sha256((bench.artifact / "manifest.json").read_bytes()).hexdigest()
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


def decisions_of(bench: Bench, run_id: str) -> dict[str, GateDecision]:
    """Return the gate's decisions among a run's files, by path."""
    with bench.registry._client.session() as mlflow, TemporaryDirectory() as folder:
        paths = ["gate.json", *(each.path for each in mlflow.list_artifacts(run_id, "gates"))]
        files = {path: Path(mlflow.download_artifacts(run_id, path, folder)).read_bytes() for path in paths}
    return {path: GateDecision.from_dict(json.loads(data)) for path, data in files.items()}


def test_the_whole_decision_is_kept_with_the_run_and_its_outcome_as_tags(any_bench: Bench) -> None:
    first = gate_for(any_bench.manifest, passed=False)
    version = any_bench.registry.register(
        any_bench.task, any_bench.run(), manifest=any_bench.manifest, gate=first
    )
    assert (version.gate, version.tags["assay.gate.reasons"]) == ("blocked", "F1 is 0.9.")
    second = gate_for(any_bench.manifest, champion="9", rows="rows-2")
    newer = any_bench.registry.record_gate(any_bench.model, "1", second)
    assert (newer.gate, newer.tags["assay.gate.reasons"]) == ("passed", "")
    assert (newer.tags["assay.gate.rows"], newer.tags["assay.gate.champion"]) == ("rows-2", "9")
    assert newer.tags["assay.gate.policy"] == policy_fingerprint(second.policy.model_dump(mode="json"))
    assert datetime.fromisoformat(newer.tags["assay.gate.at"]) >= newer.created_at.replace(microsecond=0)
    found = decisions_of(any_bench, version.run_id)
    assert found.pop("gate.json") == second
    assert [found[path] for path in sorted(found)] == [first, second]


def test_the_rows_of_the_latest_gating_are_the_tasks_current_ones(any_bench: Bench) -> None:
    def rows() -> str | None:
        return read_model(parse_store(any_bench.uri), any_bench.model).tags.get("assay.rows")

    any_bench.register(passed=None)
    assert rows() is None
    any_bench.register(rows="rows-1")
    assert rows() == "rows-1"
    any_bench.registry.record_gate(any_bench.model, "1", gate_for(any_bench.manifest, rows="rows-2"))
    assert rows() == "rows-2"


def test_long_reasons_are_cut_in_the_tag_and_whole_in_the_file(bench: Bench) -> None:
    check = Check(name="f1", observed=0.1, required=0.85, passed=False, sentence="é" * 9000)
    gate = gate_for(bench.manifest, passed=False).model_copy(update={"checks": (check,)})
    version = bench.registry.register(bench.task, bench.run(), manifest=bench.manifest, gate=gate)
    assert version.tags["assay.gate.reasons"] == "é" * 5000
    assert decisions_of(bench, version.run_id)["gate.json"] == gate


def test_a_decision_that_cannot_be_kept_changes_no_tag(bench: Bench) -> None:
    version = bench.register(passed=False)
    folder = Path(version.source.removeprefix("file://")).parent
    shutil.rmtree(folder / "gates")
    (folder / "gates").write_text("a file where the folder should be")
    with pytest.raises(RegistryError, match=r"decision could not be kept with the run.*then gate again"):
        bench.registry.record_gate(bench.model, "1", gate_for(bench.manifest))
    assert bench.registry.version(bench.model, "1") == version


def test_two_decisions_about_a_version_are_never_mixed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.register(passed=None)
    kept, other, told = registration.gate_tags, registry_at(bench.uri, bench.home), []

    def in_the_middle(gate: GateDecision | None, at: datetime) -> dict[str, str]:
        if not told:
            told.append("met")
            try:
                other.record_gate(bench.model, "1", gate_for(bench.manifest, passed=False, rows="rows-2"))
            except LockHeld as error:
                told.append(error.message)
        return kept(gate, at)

    monkeypatch.setattr(registration, "gate_tags", in_the_middle)
    monkeypatch.setattr(books, "DECISION_SECONDS", 0.2)
    version = bench.registry.record_gate(bench.model, "1", gate_for(bench.manifest))
    decision = read_gate(bench.uri, version)
    assert decision is not None
    assert (decision.passed, decision.rows_fingerprint) == (True, "rows-1")
    assert (version.gate, version.tags["assay.gate.rows"]) == ("passed", "rows-1")
    assert read_model(parse_store(bench.uri), bench.model).tags["assay.rows"] == "rows-1"
    assert "'gate:" in told[1]
    assert other.record_gate(bench.model, "1", gate_for(bench.manifest, passed=False)).gate == "blocked"
