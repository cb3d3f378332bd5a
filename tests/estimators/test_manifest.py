"""Every change of a file that the manifest does not vouch for is refused by the file's name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.estimators import load_artifact, read_manifest
from assay.exceptions import ArtifactError
from tests.estimators.made_up import read_unverified, rehash

FILES = ["golden.jsonl", "model.json", "model.safetensors", "operating_point.json", "task.toml"]
anywhere = st.floats(0, 1, exclude_max=True)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(name=st.sampled_from(FILES), place=anywhere, bits=st.integers(1, 255))
def test_any_changed_byte_is_refused_by_the_files_name(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, name: str, place: float, bits: int
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path_factory.mktemp("flipped") / "model"))
    content = bytearray((folder / name).read_bytes())
    content[int(place * len(content))] ^= bits
    (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name} is damaged: its SHA-256") as caught:
        load_artifact(folder)
    assert caught.value.data["file"] == name


@quick
@given(place=anywhere, bits=st.integers(1, 255))
def test_a_changed_byte_of_the_manifest_changes_nothing_that_decides(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, place: float, bits: int
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path_factory.mktemp("flipped") / "model"))
    content = bytearray((folder / "manifest.json").read_bytes())
    content[int(place * len(content))] ^= bits
    (folder / "manifest.json").write_bytes(content)
    try:
        found = load_artifact(folder)
    except ArtifactError:
        return
    sound = load_artifact(whole)
    assert found.manifest is not None
    assert sound.manifest is not None
    facts = {"libraries", "git_commit", "dataset", "created_at", "estimator"}
    assert found.manifest.model_dump(exclude=facts) == sound.manifest.model_dump(exclude=facts)
    assert found.decide(["free"])[0].score == sound.decide(["free"])[0].score


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_file_cut_short_is_refused(folder: Path, name: str) -> None:
    for size in (0, 1, (folder / name).stat().st_size - 1):
        (folder / name).write_bytes((folder / name).read_bytes()[:size])
        with pytest.raises(ArtifactError, match=name.replace(".", r"\.")):
            load_artifact(folder)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} cannot be read"):
        load_artifact(folder)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_folder_in_the_place_of_a_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(ArtifactError, match=f"{name} cannot be read"):
        load_artifact(folder)


@pytest.mark.parametrize("folder_name", ["none", "empty", "file"])
def test_what_is_no_artifact_is_refused(tmp_path: Path, folder_name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="is not an artifact"):
        read_manifest(tmp_path / folder_name)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda manifest: {key: value for key, value in manifest.items() if key != name}


def listing(**files: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda manifest: manifest | {"files": manifest["files"] | files}


def dropping(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda manifest: manifest | {"files": without(name)(manifest["files"])}


MANIFESTS = {
    "another format": (lambda m: m | {"format": 2}, r"format: Input should be 1 \(got 2\)"),
    "no format": (without("format"), "format: Field required"),
    "an unknown key": (lambda m: m | {"surprise": 1}, "surprise: is not a key that exists here"),
    "another digest": (lambda m: m | {"digest": "0" * 64}, "digest is not that of the deciding files"),
    "an unknown file": (listing(**{"code.py": "0"}), r"files: unknown \['code.py'\]"),
    "a path out of the folder": (listing(**{"../../etc/passwd": "0"}), r"unknown \['../../etc/passwd'\]"),
    "an absolute path": (listing(**{"/etc/passwd": "0"}), r"unknown \['/etc/passwd'\]"),
    "a pickle": (listing(**{"model.pkl": "0"}), r"unknown \['model.pkl'\]"),
    "no golden texts": (dropping("golden.jsonl"), r"missing \['golden.jsonl'\]"),
    "no weights": (dropping("model.safetensors"), r"missing \['model.safetensors'\]"),
    "a report that is not there": (listing(**{"report.json": "0"}), r"report\.json cannot be read: No such"),
    "a list": (lambda m: [m], "(the whole file)"),
    "labels of others": (lambda m: m | {"labels": ["spam", "ham"]}, "speak of different labels"),
    "another task": (lambda m: m | {"task": "abuse"}, "names the task 'abuse', task.toml 'trial'"),
}


@pytest.mark.parametrize(("change", "message"), MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, change: Any, message: str) -> None:
    changed = change(read_unverified(folder))
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        load_artifact(folder)


def test_rehashing_alone_changes_nothing(folder: Path) -> None:
    rehash(folder, created_at="later")
    assert load_artifact(folder).predict(["free", "lunch"]) == ["spam", "ham"]


def test_files_beside_the_artifacts_own_are_left_alone(folder: Path) -> None:
    (folder / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    assert load_artifact(folder).predict(["free"]) == ["spam"]
