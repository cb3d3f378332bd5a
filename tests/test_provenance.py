"""Which commit and which libraries made a model."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from assay import __version__
from assay.provenance import git_commit, library_versions


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit, which a tag names."""
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-qm", "Add a file")
    git(tmp_path, "tag", "-a", "v1", "-m", "v1")
    return tmp_path


def test_the_commit_is_named_in_full(checkout: Path) -> None:
    assert git_commit(checkout) == git(checkout, "rev-parse", "HEAD")
    assert len(git_commit(checkout) or "") == 40


def test_a_changed_work_tree_is_marked(checkout: Path) -> None:
    (checkout / "file").write_text("two")
    assert git_commit(checkout) == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_a_new_file_changes_nothing_that_is_committed(checkout: Path) -> None:
    (checkout / "other").touch()
    assert git_commit(checkout) == git(checkout, "rev-parse", "HEAD")


def test_the_current_folder_is_looked_at(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert git_commit() == git(checkout, "rev-parse", "HEAD")


def test_there_is_no_commit_outside_a_checkout_or_before_the_first(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert git_commit(tmp_path) is None
    assert git_commit(tmp_path / "absent") is None


def test_there_is_no_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert git_commit(checkout) is None


def test_libraries_are_named_with_their_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library_versions()
    assert set(found) == {"assay", "google-re2", "numpy", "scikit-learn", "scipy", "mlflow"}
    assert (found["assay"], found["numpy"]) == (__version__, version("numpy"))
    monkeypatch.setattr("assay.provenance.LIBRARIES", ("numpy", "not-installed-anywhere"))
    assert set(library_versions()) == {"numpy"}
