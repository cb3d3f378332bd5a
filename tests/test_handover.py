"""What one command leaves for the next: whole files, and references that cannot mean another version."""

import json
from pathlib import Path

import pytest

from assay.exceptions import ConfigError, DataError, VersionNotFound
from assay.handover import Candidate, leave, version_named
from assay.registry import find_version
from assay.settings import Settings

MODEL = "MineClassifier"


@pytest.fixture
def settings() -> Settings:
    """The settings of a user without any in the environment."""
    return Settings()


@pytest.fixture
def candidate(with_version: Path, settings: Settings) -> Candidate:
    """What training left about version 1."""
    found = find_version(settings.store, MODEL, "1")
    return Candidate(
        task="mine", model=MODEL, version="1", digest=found.digest, run_id="r", rows="f", gate="passed"
    )


def write(candidate: Candidate, **changes: object) -> str:
    """Write a file of training and return its path."""
    leave(candidate.model_dump(mode="json") | changes, Path("out/train.json"))
    return "out/train.json"


def test_a_file_of_training_means_its_version(candidate: Candidate, settings: Settings) -> None:
    assert version_named(write(candidate), MODEL, settings) == "1"


@pytest.mark.parametrize("reference", ["1", "latest", "production", "nonesuch"])
def test_other_references_stay_as_they_are(settings: Settings, reference: str) -> None:
    assert version_named(reference, MODEL, settings) == reference


def test_a_file_about_another_model_is_refused(candidate: Candidate, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="'MineClassifier', and the task's model is 'OtherClassifier'"):
        version_named(write(candidate), "OtherClassifier", settings)


def test_a_file_about_another_registry_is_refused(candidate: Candidate, settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"with the digest 'dddddddddddd'; this registry's version 1 has"):
        version_named(write(candidate, digest="d" * 64), MODEL, settings)
    with pytest.raises(VersionNotFound, match="no version '7'"):
        version_named(write(candidate, version="7"), MODEL, settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no file that `assay train --output` wrote:\n  .*Invalid JSON"),
        ('{"task": "mine"}', "no file that `assay train --output` wrote:\n  model: Field required"),
        (None, "train.json cannot be read: No such file"),
    ],
    ids=["cut off", "another file", "missing"],
)
def test_a_file_that_cannot_be_used_is_refused(
    workplace: Path, settings: Settings, content: str | None, message: str
) -> None:
    if content is not None:
        Path("train.json").write_text(content)
    with pytest.raises(ConfigError, match=message):
        version_named("train.json", MODEL, settings)


def test_an_earlier_file_stays_when_a_new_one_cannot_be_written(workplace: Path) -> None:
    path = Path("out/rows.json")
    leave({"name": "naïve"}, path)
    assert path.read_text(encoding="utf-8") == '{\n "name": "naïve"\n}\n'
    with pytest.raises(ValueError, match="Out of range float"):
        leave({"name": float("nan")}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"name": "naïve"}
    assert [each.name for each in path.parent.iterdir()] == ["rows.json"]


def test_a_folder_in_the_place_of_the_file_is_refused(workplace: Path) -> None:
    Path("out").mkdir()
    with pytest.raises(DataError, match="could not be written: Is a directory"):
        leave({}, Path("out"))
