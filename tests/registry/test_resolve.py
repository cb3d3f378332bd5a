import subprocess
import sys
from pathlib import Path

import pytest

from assay.exceptions import RegistryError, VersionNotFound
from assay.registry import Version, find_production, find_version
from tests.registry.conftest import Bench, gate_for


def facts(version: Version) -> tuple[object, ...]:
    tags = version.tags
    return (
        version.task,
        version.model,
        version.number,
        version.source,
        version.digest,
        version.stage,
        tags["assay.manifest"],
        version.aliases,
    )


def found_facts(uri: str, model: str, reference: str) -> tuple[object, ...]:
    found = find_version(uri, model, reference)
    return (
        found.task,
        found.model,
        found.version,
        found.source,
        found.digest,
        found.stage,
        found.manifest,
        found.aliases,
    )


def test_resolver_and_mlflow_agree_on_every_version(any_bench: Bench) -> None:
    registry, model, uri = any_bench.registry, any_bench.model, any_bench.uri
    for number in "123":
        any_bench.register(champion=str(int(number) - 1) if number > "1" else None)
        registry.promote(model, number)
    any_bench.register(passed=False)
    registry.promote(model, "2")
    registry.promote(model, "4", to="staging")

    versions = {each.number: each for each in registry.versions(model)}

    assert {number: (each.stage, each.aliases) for number, each in versions.items()} == {
        "1": ("Archived", ()),
        "2": ("Production", ("production",)),
        "3": ("Archived", ("previous",)),
        "4": ("Staging", ("staging",)),
    }
    for number, version in versions.items():
        assert found_facts(uri, model, number) == facts(version)
    for reference, number in {"production": "2", "previous": "3", "Staging": "4", "latest": "4"}.items():
        assert found_facts(uri, model, reference) == facts(versions[number])
        assert registry.version(model, reference) == versions[number]
    assert [each.version for each in find_production(uri) if each.model == model] == ["2"]


def test_missing_versions_are_answered_with_those_that_exist(any_bench: Bench) -> None:
    any_bench.register()
    any_bench.registry.promote(any_bench.model, "1")
    for reference in ("7", "staging", "'; --"):
        with pytest.raises(VersionNotFound, match=r"It has 1 \(production\)\."):
            find_version(any_bench.uri, any_bench.model, reference)
        with pytest.raises(VersionNotFound, match=r"It has 1 \(production\)\."):
            any_bench.registry.version(any_bench.model, reference)
    with pytest.raises(VersionNotFound, match=f'no model "It\'s".*{any_bench.model}'):
        find_version(any_bench.uri, "It's", "latest")
    with pytest.raises(VersionNotFound, match=f"no model 'Ghost'.*{any_bench.model}"):
        any_bench.registry.version("Ghost", "production")


def test_models_of_other_tools_are_left_out(any_bench: Bench) -> None:
    any_bench.register()
    foreign = f"{any_bench.model}-foreign"
    with any_bench.registry._client.session() as mlflow:
        mlflow.create_registered_model(foreign)
        mlflow.create_model_version(foreign, source="s3://elsewhere/model")
        mlflow.set_registered_model_alias(foreign, "production", "1")

    assert foreign not in [each.model for each in find_production(any_bench.uri)]
    with pytest.raises(RegistryError, match="was not registered by Assay"):
        find_version(any_bench.uri, foreign, "1")


def test_deleted_versions_are_not_found(any_bench: Bench) -> None:
    any_bench.register()
    any_bench.registry.promote(any_bench.model, "1")
    with any_bench.registry._client.session() as mlflow:
        mlflow.delete_model_version(any_bench.model, "1")

    assert any_bench.model not in [each.model for each in find_production(any_bench.uri)]
    with pytest.raises(VersionNotFound):
        find_version(any_bench.uri, any_bench.model, "1")


def test_production_is_found_beyond_the_first_page(
    http_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.registry.rest.PAGE", 1)
    for _ in range(3):
        http_bench.register()
    with http_bench.registry._client.session() as mlflow:
        mlflow.create_registered_model(f"A{http_bench.model}")
    http_bench.registry.promote(http_bench.model, "2")

    assert find_version(http_bench.uri, http_bench.model, "latest").version == "3"
    assert http_bench.model in [each.model for each in find_production(http_bench.uri)]


FIND_AND_FETCH = """
import sys, pathlib
from assay.registry import fetch_version, find_production, find_version
found = find_production(sys.argv[1])[-1]
print(fetch_version(sys.argv[1], found, pathlib.Path(sys.argv[2])))
heavy = {"mlflow", "sklearn", "scipy", "pandas", "torch", "matplotlib", "sqlalchemy"} & set(sys.modules)
assert not heavy, heavy
"""


def test_finding_and_fetching_import_no_training_library(any_bench: Bench, tmp_path: Path) -> None:
    any_bench.register()
    any_bench.registry.promote(any_bench.model, "1")
    command = [sys.executable, "-W", "error", "-c", FIND_AND_FETCH, any_bench.uri, str(tmp_path / "cache")]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    assert (Path(outcome.stdout.strip()) / "manifest.json").is_file()


def test_decision_of_the_gate_is_kept_with_the_version(any_bench: Bench) -> None:
    version = any_bench.register(passed=False)
    assert version.gate == "blocked"
    newer = any_bench.registry.record_gate(any_bench.model, "1", gate_for(any_bench.manifest, champion="9"))
    assert newer.gate == "passed"
    assert newer.tags["assay.gate.rows"] == "rows-1"
    assert newer.tags["assay.gate.champion"] == "9"
