"""A profile in its artifact: kept, read again, and refused where it is none."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.estimators import (
    Profile,
    Reference,
    attach_report,
    load_artifact,
    profile_of,
    read_manifest,
    read_profile,
)
from assay.exceptions import ArtifactError
from tests.estimators.made_up import rehash

OLD = sorted(path for path in Path("tests/artifacts/v1").iterdir() if path.is_dir())
TEXTS = ["free prize, call now", "lunch tomorrow?"] * 10


@pytest.fixture
def folder(ruled_artifact: Path, tmp_path: Path) -> Path:
    """An artifact with a report and a profile."""
    folder = Path(shutil.copytree(ruled_artifact, tmp_path / "model"))
    attach_report(folder, "{}", profile_of(load_artifact(folder), TEXTS))
    return folder


def changed(folder: Path, **changes: Any) -> None:
    """Change the profile of an artifact, and have the manifest vouch for it."""
    path = folder / "profile.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))
    rehash(folder)


@pytest.mark.parametrize("old", OLD, ids=lambda path: path.name)
def test_artifacts_made_before_there_were_profiles_have_none(old: Path) -> None:
    assert read_profile(old) is None
    assert load_artifact(old).profile is None


def test_a_profile_is_an_annex_and_no_part_of_the_identity(ruled_artifact: Path, folder: Path) -> None:
    before, after = read_manifest(ruled_artifact), read_manifest(folder)
    assert after.digest == before.digest
    assert set(after.files) - set(before.files) == {"report.json", "profile.json"}
    cascade = load_artifact(folder)
    assert cascade.profile == read_profile(folder) == profile_of(cascade, TEXTS)
    assert cascade.at_version("7").profile is cascade.profile


def test_without_a_profile_the_report_is_attached_alone(ruled_artifact: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ruled_artifact, tmp_path / "model"))
    assert "profile.json" not in attach_report(folder, "{}").files
    assert read_profile(folder) is None


def test_a_profile_whose_hash_does_not_fit_is_refused(folder: Path) -> None:
    with (folder / "profile.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match=r"profile\.json is damaged: its SHA-256"):
        read_profile(folder)


def test_a_profile_of_a_newer_format_is_refused_by_its_number(folder: Path) -> None:
    changed(folder, format=2, invented="later")
    with pytest.raises(ArtifactError, match=r"profile\.json is a profile of format 2; .* reads up to 1"):
        read_profile(folder)
    with pytest.raises(ArtifactError, match="format 2"):
        load_artifact(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 0}, "format"),
        ({"format": "one"}, "format"),
        ({"rows": -1}, "rows"),
        ({"rows": 3}, "count more rows than the profile has"),
        ({"task": "other"}, "is of the task 'other', the artifact of 'spam'"),
        ({"invented": 1}, "invented: is not a key"),
        ({"statistics": [{"name": "mood", "kind": "numbers", "counts": [1]}]}, "statistics.0.name"),
        (
            {"statistics": [{"name": "label", "kind": "categories", "labels": ["a"], "counts": [1]}] * 2},
            "once",
        ),
    ],
)
def test_a_profile_that_is_none_is_refused(folder: Path, changes: dict[str, Any], reason: str) -> None:
    changed(folder, **changes)
    with pytest.raises(ArtifactError, match=reason):
        read_profile(folder)


@pytest.mark.parametrize("content", ["", "[1", "[]", "7", '{"format": 1, "rows": NaN}', "\0"])
def test_what_is_no_profile_at_all_is_refused_by_name(folder: Path, content: str) -> None:
    (folder / "profile.json").write_text(content)
    rehash(folder)
    with pytest.raises(ArtifactError, match=r"profile\.json is damaged"):
        read_profile(folder)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"kind": "numbers", "edges": (1.0,), "counts": (1,)}, "2 bins of numbers need as many counts"),
        ({"kind": "numbers", "edges": (2.0, 1.0), "counts": (1, 1, 1)}, "edges must rise"),
        ({"kind": "numbers", "edges": (1.0, 1.0), "counts": (1, 1, 1)}, "edges must rise"),
        ({"kind": "numbers", "edges": (float("nan"),), "counts": (1, 1)}, "finite number"),
        ({"kind": "numbers", "labels": ("a",), "counts": (1,)}, "1 bins of numbers"),
        ({"kind": "categories", "labels": ("a",), "edges": (1.0,), "counts": (1,)}, "1 bins of categories"),
        ({"kind": "categories", "labels": ("a",), "counts": (-1,)}, "greater than or equal to 0"),
        ({"kind": "numbers", "counts": (1,), "band": (0.4, 0.6)}, "band belongs to the statistic near"),
    ],
)
def test_a_statistic_whose_parts_do_not_fit_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Reference(name="score", **values)


def test_a_profile_survives_its_text() -> None:
    profile = profile_of(load_artifact(OLD[0]), TEXTS)
    assert Profile.model_validate_json(profile.to_json()) == profile
