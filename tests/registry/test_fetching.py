import hashlib
import json
import resource
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assay.estimators import load_artifact
from assay.exceptions import ArtifactError, RegistryError, RegistryUnavailable
from assay.registry import Version, fetch_version, find_version, open_version
from assay.registry.fetching import local_folder
from tests.registry.conftest import Bench
from tests.servers import free_port


def promoted(bench: Bench) -> Version:
    """Return a new version as the resolver finds it."""
    return find_version(bench.uri, bench.model, bench.register().number)


def test_local_version_is_used_in_place(bench: Bench, tmp_path: Path) -> None:
    found = promoted(bench)
    folder = fetch_version(bench.uri, found, tmp_path / "cache")
    assert folder.is_relative_to(bench.home / "artifacts")
    assert load_artifact(folder).digest == found.digest
    assert not (tmp_path / "cache").exists()


def test_version_is_found_and_fetched_in_one(bench: Bench, tmp_path: Path) -> None:
    found = promoted(bench)
    assert open_version(bench.uri, bench.model, "latest", tmp_path / "cache") == (
        found,
        fetch_version(bench.uri, found, tmp_path / "cache"),
    )


def test_served_version_is_downloaded_whole_and_once(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    assert found.source.startswith("mlflow-artifacts:/")
    folder = fetch_version(http_bench.uri, found, tmp_path / "cache")
    assert load_artifact(folder).digest == found.digest
    assert [each.name for each in (tmp_path / "cache").iterdir()] == [found.manifest]

    dead = f"http://127.0.0.1:{free_port()}"
    assert fetch_version(dead, found, tmp_path / "cache") == folder


def test_damaged_copy_is_downloaded_again(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    folder = fetch_version(http_bench.uri, found, tmp_path / "cache")
    (folder / "model.safetensors").write_bytes(b"rotten")
    assert fetch_version(http_bench.uri, found, tmp_path / "cache") == folder
    assert load_artifact(folder).digest == found.digest


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_bytes_that_changed_on_the_server_are_refused(name: str, http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    run_id = http_bench.registry.version(http_bench.model, found.number).run_id
    changed = tmp_path / name
    changed.write_bytes((http_bench.artifact / name).read_bytes() + b" ")
    with http_bench.registry._client.session() as mlflow:
        mlflow.log_artifact(run_id, str(changed), "model")

    with pytest.raises(ArtifactError, match=f"{name} of version 1 .* is not what was registered"):
        fetch_version(http_bench.uri, found, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_manifest_that_leads_out_of_the_folder_is_refused(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    run_id = http_bench.registry.version(http_bench.model, found.number).run_id
    evil = tmp_path / "manifest.json"
    evil.write_text(json.dumps({"files": {"../../escaped": "0" * 64}}))
    with http_bench.registry._client.session() as mlflow:
        mlflow.log_artifact(run_id, str(evil), "model")
    found = replace(found, manifest=hashlib.sha256(evil.read_bytes()).hexdigest())

    with pytest.raises(ArtifactError, match="no plain name"):
        fetch_version(http_bench.uri, found, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_workers_that_download_at_once_end_with_one_copy(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    folders: list[Path] = []
    threads = [
        threading.Thread(
            target=lambda: folders.append(fetch_version(http_bench.uri, found, tmp_path / "cache"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [tmp_path / "cache" / found.manifest] * 4
    assert [each.name for each in (tmp_path / "cache").iterdir()] == [found.manifest]


def test_server_that_is_down_is_unavailable(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    with pytest.raises(RegistryUnavailable, match="cannot be reached"):
        fetch_version(f"http://127.0.0.1:{free_port()}", found, tmp_path / "cache")


def test_local_folder_that_is_gone_or_changed_is_refused(bench: Bench, tmp_path: Path) -> None:
    found = promoted(bench)
    manifest = fetch_version(bench.uri, found, tmp_path) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(ArtifactError, match=r"manifest\.json of version 1 .* is not what was registered"):
        fetch_version(bench.uri, found, tmp_path)
    manifest.unlink()
    with pytest.raises(ArtifactError, match=r"is registered, but .* cannot be read"):
        fetch_version(bench.uri, found, tmp_path)


def test_source_that_only_a_server_hands_out_is_refused_on_a_database(bench: Bench, tmp_path: Path) -> None:
    found = replace(promoted(bench), source="mlflow-artifacts:/1/abc/artifacts/model")
    with pytest.raises(RegistryError, match="which only an MLflow server hands out"):
        fetch_version(bench.uri, found, tmp_path)


def test_disk_that_takes_no_more_leaves_nothing(http_bench: Bench, tmp_path: Path) -> None:
    found = promoted(http_bench)
    size = (http_bench.artifact / "model.safetensors").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, hard))
    try:
        with pytest.raises(ArtifactError, match=r"could not be kept.*File too large.*free the disk"):
            fetch_version(http_bench.uri, found, tmp_path / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("file:///data/my%20models/m", Path("/data/my models/m")),
        ("/data/m", Path("/data/m")),
        ("s3://bucket/m", None),
        ("mlflow-artifacts:/1/m", None),
    ],
)
def test_local_folder_reads_file_uris_and_paths(source: str, folder: Path | None) -> None:
    assert local_folder(source) == folder
