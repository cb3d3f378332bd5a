"""The lock files fit pyproject.toml and each other, and the check that says so can fail."""

import importlib.util
import shutil
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from tests.contracts.sources import ROOT


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """The script that makes and checks the locks."""
    spec = importlib.util.spec_from_file_location("lock", ROOT / "requirements" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project file and its locks."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_locks_fit_the_project(lock: ModuleType) -> None:
    assert lock.faults(ROOT) == []


def test_every_locked_package_has_a_hash(lock: ModuleType) -> None:
    for name in lock.EXTRAS:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        entries = text.replace("\\\n", "").splitlines()
        assert lock.pins(text)
        assert [
            line for line in entries if line and not line.lstrip().startswith("#") and "--hash=" not in line
        ] == []


def test_a_new_base_dependency_is_noticed_in_every_lock_it_reaches(lock: ModuleType, tree: Path) -> None:
    rewrite(tree / "pyproject.toml", "dependencies = [", 'dependencies = [\n    "another-package>=1",')
    found = lock.faults(tree)
    assert [line.split(" was made")[0][-25:].split("/")[1] for line in found] == [
        "dev.txt",
        "train.txt",
        "transformers.txt",
        "service.txt",
        "onnx.txt",
        "image.txt",
        "parquet.txt",
        "hub.txt",
        "mlflow-s3.txt",
        "s3.txt",
    ]
    assert all("run: make lock" in line for line in found)


def test_a_comment_in_the_project_file_changes_nothing(lock: ModuleType, tree: Path) -> None:
    rewrite(tree / "pyproject.toml", "dependencies = [", "# why\ndependencies = [")
    assert lock.faults(tree) == []


def test_two_versions_of_one_package_are_noticed(lock: ModuleType, tree: Path) -> None:
    path = tree / "requirements" / "service.txt"
    version = min(lock.pins(path.read_text(encoding="utf-8"))["fastapi"])
    rewrite(path, f"fastapi=={version}", "fastapi==0.0.1")
    assert [line for line in lock.faults(tree) if "fastapi ['0.0.1']" in line]


@pytest.mark.parametrize(
    "line", ["--extra-index-url somewhere", "--find-links https://mirror.example/wheels"]
)
def test_a_host_in_a_lock_is_noticed(lock: ModuleType, tree: Path, line: str) -> None:
    path = tree / "requirements" / "train.txt"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    assert lock.faults(tree) == [
        "requirements/train.txt names a host; it must work with whatever index a machine is set up for"
    ]


@pytest.mark.parametrize("name", ["dev", "transformers"])
def test_torch_in_a_lock_is_noticed(lock: ModuleType, tree: Path, name: str) -> None:
    path = tree / "requirements" / f"{name}.txt"
    path.write_text(path.read_text(encoding="utf-8") + "torch==2.13.0\n", encoding="utf-8")
    assert f"requirements/{name}.txt has torch, whose build depends on the machine; run: make lock" in (
        lock.faults(tree)
    )


def test_a_torch_whose_dependencies_are_not_those_locked_is_noticed(lock: ModuleType, tree: Path) -> None:
    rewrite(tree / "requirements" / "torch.txt", "torch==2.13.0", "torch==2.13.1")
    found = lock.faults(tree)
    assert found[0].startswith("requirements/torch.txt says 'torch==2.13.1' and tool.uv.dependency-metadata")
    assert [line.split(" was made")[0].rpartition("/")[2] for line in found[1:]] == [
        "dev.txt",
        "transformers.txt",
    ]


def test_the_locks_hold_what_the_installed_torch_needs(lock: ModuleType) -> None:
    """CUDA's libraries apart, which a CPU build does not need and pip brings for a CUDA build."""
    pytest.importorskip("torch", reason="torch is not installed; docs/transformers.md says how (make torch)")
    needs = {Requirement(each).name for each in requires("torch") or [] if "extra ==" not in each}
    of_cuda = {name for name in needs if name.startswith(("nvidia", "cuda", "triton"))}
    for name in lock.WITH_TORCH:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert needs - of_cuda <= set(lock.pins(text))


def test_a_service_and_the_quickstart_have_nothing_of_transformers(lock: ModuleType) -> None:
    locked = {
        name: set(lock.pins((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")))
        for name in lock.EXTRAS
    }
    assert not {"transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers"} & locked["train"]
    assert not {"transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers"} & locked["service"]
    assert {"onnxruntime", "tokenizers"} == {*locked["onnx"]} & {
        *("transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers", "scikit-learn", "mlflow")
    }


def test_a_missing_lock_is_noticed(lock: ModuleType, tree: Path) -> None:
    (tree / "requirements" / "build.txt").unlink()
    assert [line.rsplit("/", 1)[-1] for line in lock.faults(tree)] == ["build.txt is missing; run: make lock"]
