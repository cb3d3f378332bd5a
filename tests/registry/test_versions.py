import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.exceptions import RegistryError, VersionNotFound
from assay.registry import Version, find_production, find_version
from tests.registry.conftest import Bench


def as_mlflow_has_it(bench: Bench) -> dict[str, Version]:
    """Return every version with the facts that MLflow's own client tells."""
    with bench.registry._client.session() as mlflow:
        aliases = mlflow.get_registered_model(bench.model).aliases
        found = {}
        for each in mlflow.search_model_versions(f"name='{bench.model}'"):
            number, tags = str(each.version), dict(each.tags)
            found[number] = Version(
                model=each.name,
                number=number,
                task=tags["assay.task"],
                stage=each.current_stage,
                aliases=tuple(sorted(alias for alias, held in aliases.items() if str(held) == number)),
                run_id=each.run_id,
                source=each.source,
                digest=tags["assay.digest"],
                manifest=tags["assay.manifest"],
                created_at=datetime.fromtimestamp(each.creation_timestamp / 1000, UTC),
                gate=tags["assay.gate"],
                tags=tags,
            )
    return found


def test_what_is_read_without_mlflow_is_what_mlflow_has(any_bench: Bench) -> None:
    registry, model, uri = any_bench.registry, any_bench.model, any_bench.uri
    for number in "123":
        any_bench.register(champion=str(int(number) - 1) if number > "1" else None)
        any_bench.promote(number)
    any_bench.register(passed=False)
    any_bench.rollback("2")
    any_bench.promote("4", to="staging", override="to look at it")

    versions = {each.number: each for each in registry.versions(model)}

    assert any_bench.states() == {
        "1": ("Archived", ()),
        "2": ("Production", ("production",)),
        "3": ("Archived", ("previous",)),
        "4": ("Staging", ("staging",)),
    }
    assert versions == as_mlflow_has_it(any_bench)
    for number, version in versions.items():
        assert find_version(uri, model, number) == version
    for reference, number in {"production": "2", "previous": "3", "Staging": "4", "latest": "4"}.items():
        assert find_version(uri, model, reference) == versions[number]
        assert registry.version(model, reference) == versions[number]
    assert [each for each in find_production(uri) if each.model == model] == [versions["2"]]
    assert registry.production(model) == versions["2"]


def test_missing_versions_are_answered_with_those_that_exist(any_bench: Bench) -> None:
    any_bench.register()
    any_bench.promote("1")
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
    any_bench.promote("1")
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
    http_bench.promote("2")

    assert find_version(http_bench.uri, http_bench.model, "latest").number == "3"
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
    any_bench.promote("1")
    command = [sys.executable, "-W", "error", "-c", FIND_AND_FETCH, any_bench.uri, str(tmp_path / "cache")]
    outcome = subprocess.run(command, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    assert (Path(outcome.stdout.strip()) / "manifest.json").is_file()
