"""The whole decision about a version, read without MLflow from wherever its run keeps it."""

from dataclasses import replace
from pathlib import Path

import pytest

from assay.exceptions import ArtifactError
from assay.registry import read_gate
from assay.registry.fetching import local_folder
from tests.contracts.test_imports import loaded_by
from tests.registry.conftest import Bench, gate_for


def test_the_decision_is_the_latest_on_every_kind_of_store(any_bench: Bench) -> None:
    version = any_bench.register()
    first = gate_for(any_bench.manifest)
    assert read_gate(any_bench.uri, version) == first
    blocked = gate_for(any_bench.manifest, passed=False, rows="rows-2")
    any_bench.registry.record_gate(any_bench.model, version.number, blocked)
    assert read_gate(any_bench.uri, version) == blocked != first


def test_a_version_that_was_never_gated_has_none(any_bench: Bench) -> None:
    assert read_gate(any_bench.uri, any_bench.register(passed=None)) is None


def test_a_source_of_another_machine_has_none_that_can_be_read(bench: Bench) -> None:
    version = bench.register()
    assert read_gate(bench.uri, replace(version, source="s3://bucket/1/model")) is None
    assert read_gate("http://127.0.0.1:9", replace(version, source="s3://x/model", run_id="")) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is not JSON"), ("[" * 100_000, "is not JSON"), ("[1]", "not a usable gate decision")],
)
def test_a_file_that_is_no_decision_is_refused(bench: Bench, text: str, told: str) -> None:
    version = bench.register()
    folder = local_folder(version.source)
    assert folder is not None
    (folder.parent / "gate.json").write_text(text)
    with pytest.raises(ArtifactError, match=told):
        read_gate(bench.uri, version)


def test_a_decision_about_another_artifact_is_refused(bench: Bench) -> None:
    version = bench.register()
    with pytest.raises(ArtifactError, match=r"is about the artifact .* Gate it again: assay gate spam 1"):
        read_gate(bench.uri, replace(version, digest="0" * 64))


def test_reading_needs_no_mlflow(bench: Bench, tmp_path: Path) -> None:
    version = bench.register()
    statement = (
        "from assay.registry import find_version, read_gate\n"
        f"assert read_gate({bench.uri!r}, find_version({bench.uri!r}, {version.model!r}, '1')).passed"
    )
    assert not loaded_by(statement, tmp_path) & {"mlflow", "sklearn", "pandas", "scipy"}
