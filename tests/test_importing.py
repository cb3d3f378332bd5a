"""A team's present model becomes the first production version, or says why it cannot."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import assay
from assay.cli import main
from assay.importing import new_task
from assay.loading import open_registry
from assay.registry import Version
from assay.settings import Settings
from tests.corpus import ODD, SPAM_GROUPS, labelled

TEXTS, LABELS = labelled(SPAM_GROUPS, 60, seed=5)
IMPORT = ("import", "model.joblib", "--task", "mine", "--trust")
ROWS = ("--data", "mine.csv", "--text", "T", "--label", "L")
TASK = """\
name = "mine"
labels = ["ham", "spam"]
positive = "spam"
model = "Judge"
[data]
source = "mine.csv"
"""


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("sprung"),)


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep every command away from the repository's own tasks and home."""


@pytest.fixture(scope="session")
def fitted() -> Any:
    """A scikit-learn pipeline over ham and spam."""
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10)).fit(TEXTS, LABELS)


@pytest.fixture
def said(fitted: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A function that imports the pipeline and returns what the command prints."""
    joblib.dump(fitted, "model.joblib")

    def run(*options: str, code: int = 0) -> str:
        assert main([*IMPORT, *options]) == code
        return "".join(capsys.readouterr())

    return run


def versions(model: str = "MineClassifier") -> list[Version]:
    """Return the versions of a model."""
    settings = Settings()
    return open_registry(settings).versions(model)


def test_nothing_is_loaded_without_trust(capsys: pytest.CaptureFixture[str]) -> None:
    joblib.dump(Trap(), "model.joblib")
    assert main([*IMPORT[:-1]]) == 1
    assert (
        "Loading 'model.joblib' runs code from it. If you trust it, say so: add --trust."
        in capsys.readouterr().err
    )
    assert not Path("sprung").exists()
    assert main([*IMPORT]) == 1
    assert Path("sprung").exists()


def test_a_model_gives_its_own_probabilities_once_imported(said: Callable[..., str], fitted: Any) -> None:
    assert "MineClassifier version 1 is now in production" in said("--promote")
    [version] = versions()
    assert (version.gate, version.stage) == ("none", "Production")
    assert version.tags["assay.override"].startswith("imported without labelled rows")
    cascade = assay.load("mine")
    texts = [*TEXTS, *ODD]
    assert np.abs(cascade.predict_proba(texts) - fitted.predict_proba(texts)).max() < 1e-9
    assert cascade.manifest is not None
    assert cascade.manifest.estimator == "imported scikit-learn pipeline"
    assert cascade.task.positive == "spam"


def test_without_rows_it_is_registered_and_not_gated(
    said: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    printed = said()
    assert "No labelled rows were given, so nothing was measured." in printed
    assert "is registered, not gated. Next: assay gate mine 1 --data FILE; or, as it is:" in printed
    assert versions()[0].stage == "None"
    assert main(["promote", "mine", "1"]) == 1
    assert "has no gate decision" in capsys.readouterr().err
    assert main(["gate", "mine", "1", *ROWS]) == 0
    assert main(["promote", "mine", "1"]) == 0


def test_with_rows_it_is_gated_like_any_candidate(said: Callable[..., str]) -> None:
    assert "Gate passed" in (printed := said(*ROWS, "--promote"))
    assert "MineClassifier version 1 is now in production" in printed
    assert (versions()[0].gate, "assay.override" in versions()[0].tags) == ("passed", False)
    printed = said(*ROWS)
    assert "of version 1 in production" in printed
    assert "is registered. Make it production: assay promote mine 2" in printed


def test_a_model_that_is_wrong_about_the_rows_is_blocked(said: Callable[..., str]) -> None:
    with Path("mine.csv").open(newline="") as file:
        rows = [(row["T"], {"ham": "spam", "spam": "ham"}[row["L"]]) for row in csv.DictReader(file)]
    with Path("mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("T", "L"), *rows])
    assert "version 1 is registered and blocked" in said(*ROWS, "--promote", code=2)
    assert versions()[0].aliases == ()


def test_classes_are_named_by_option(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [int(label == "spam") for label in LABELS]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, numbers)
    joblib.dump(model, "model.joblib")
    assert main([*IMPORT, "--labels", "0=ham, 1=spam", "--positive", "ham", "--promote"]) == 0
    cascade = assay.load("mine")
    assert (cascade.labels, cascade.task.positive) == (("ham", "spam"), "ham")
    assert cascade.predict(["free prize claim now"]) == ["spam"]
    assert main([*IMPORT, "--positive", "egg"]) == 1
    assert "positive must be one of the labels ['0', '1']; got 'egg'" in capsys.readouterr().err


def test_the_task_file_says_labels_and_names(said: Callable[..., str]) -> None:
    Path("tasks").mkdir()
    Path("tasks/mine.toml").write_text(TASK)
    said()
    assert [each.number for each in versions("Judge")] == ["1"]
    Path("tasks/mine.toml").write_text(TASK.replace('"ham", "spam"]', '"ham", "spam", "egg"]'))
    assert "egg" in said(code=1)
    Path("tasks/mine.toml").write_text("name = ")
    assert "tasks/mine.toml is not TOML" in said(code=1)
    assert len(versions("Judge")) == 1


def test_what_is_no_pipeline_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    joblib.dump({"a": 1}, "model.joblib")
    assert main([*IMPORT]) == 1
    assert "error: " in capsys.readouterr().err
    assert versions() == []
    assert list(Path(".assay").glob("candidate-*")) == []


def test_a_task_made_at_import_remembers_its_columns() -> None:
    task = new_task("mine", ("a", "b"), None, {"source": "x.csv", "text": "T"})
    assert (task.positive, task.data.source, task.data.text) == ("b", "x.csv", "T")
    assert new_task("mine", ("a", "b"), "a", {}).data.source == "not given at import: add --data FILE"
