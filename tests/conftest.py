"""Fixtures that every stage shares: small corpora, cascades fitted once a session, their artifacts."""

from pathlib import Path

import pytest

from assay.config import Task, parse_task
from assay.datasets import Rows
from assay.estimators import Cascade, load_artifact, save_artifact, train_cascade
from assay.progress import Progress
from tests.corpus import ABUSE_GROUPS, SENTIMENT_GROUPS, SPAM_GROUPS, labelled

QUIET = Progress(quiet=True)


def make_task(name: str, labels: list[str], **parts: object) -> Task:
    """Return a task whose estimator suits a small corpus."""
    values = {
        "name": name,
        "labels": labels,
        "positive": labels[-1],
        "data": {"source": "made-up"},
        "estimator": {"min_df": 1, "C": 10.0},
        **parts,
    }
    return parse_task(values, source=f"the test task {name!r}")


def fit(task: Task, groups: dict[str, list[str]], count: int = 200) -> Cascade:
    """Return the cascade of a task fitted on a small corpus."""
    texts, labels = labelled(groups, count)
    return train_cascade(task, Rows(texts=texts, labels=labels), progress=QUIET)


def saved(cascade: Cascade, folder: Path) -> Path:
    """Return an artifact folder of a cascade."""
    golden = [
        "free prize, call now",
        "lunch tomorrow?",
        "a wonderful film",
        "dull and boring",
        "naïve café 日本語",
    ]
    save_artifact(cascade, folder, golden=golden, provenance={"git_commit": "0" * 40})
    return folder


@pytest.fixture(scope="session")
def spam_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task spam."""
    task = make_task("spam", ["ham", "spam"], experiment="spam-detection")
    return saved(fit(task, SPAM_GROUPS), tmp_path_factory.mktemp("spam") / "model")


@pytest.fixture(scope="session")
def sentiment_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task sentiment."""
    task = make_task("sentiment", ["negative", "positive"], experiment="sentiment-analysis")
    return saved(fit(task, SENTIMENT_GROUPS), tmp_path_factory.mktemp("sentiment") / "model")


@pytest.fixture(scope="session")
def abuse_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task abuse, which has three labels."""
    task = make_task("abuse", ["neither", "offensive_language", "hate_speech"], experiment="abuse-detection")
    return saved(fit(task, ABUSE_GROUPS), tmp_path_factory.mktemp("abuse") / "model")


@pytest.fixture(scope="session")
def spam_cascade(spam_artifact: Path) -> Cascade:
    """The loaded cascade of the task spam."""
    return load_artifact(spam_artifact)


@pytest.fixture(scope="session")
def sentiment_cascade(sentiment_artifact: Path) -> Cascade:
    """The loaded cascade of the task sentiment."""
    return load_artifact(sentiment_artifact)


@pytest.fixture(scope="session")
def abuse_cascade(abuse_artifact: Path) -> Cascade:
    """The loaded cascade of the task abuse."""
    return load_artifact(abuse_artifact)
