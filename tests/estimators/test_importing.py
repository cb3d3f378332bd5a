"""A joblib file is compared with its conversion before it is believed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from assay.config import MAX_TEXT_BYTES
from assay.estimators import fault_of, import_pipeline
from assay.exceptions import ConversionError
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled

TEXTS, LABELS = labelled(SPAM_GROUPS, 60)


class Louder(LogisticRegression):
    """A classifier whose probabilities are not those of its base class."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X) ** 1.001


def plain(**options: Any) -> Pipeline:
    return make_pipeline(TfidfVectorizer(**options), LogisticRegression(C=10)).fit(TEXTS, LABELS)


@pytest.fixture
def dump(tmp_path: Path) -> Callable[[Any], Path]:
    """Write an object as a joblib file."""

    def write(thing: Any) -> Path:
        joblib.dump(thing, tmp_path / "model.joblib")
        return tmp_path / "model.joblib"

    return write


def test_an_imported_model_answers_as_the_pipeline_does(dump: Callable[[Any], Path]) -> None:
    pipeline = plain(ngram_range=(1, 2))
    model, texts = import_pipeline(dump(pipeline), ["spam", "ham"], {})
    assert model.labels == ("spam", "ham")
    assert len(texts) > 150
    assert [fault_of(text) for text in texts] == [None] * len(texts)
    assert np.abs(model.predict_proba(texts)[:, ::-1] - pipeline.predict_proba(texts)).max() < 1e-9


def test_labels_default_to_the_classes_under_their_names(dump: Callable[[Any], Path]) -> None:
    model, _ = import_pipeline(dump(plain()), None, {"ham": "fine"})
    assert model.labels == ("fine", "spam")


def test_the_comparison_covers_the_whole_vocabulary_in_several_forms(dump: Callable[[Any], Path]) -> None:
    _, texts = import_pipeline(dump(plain()), None, {})
    joined = " ".join(texts)
    assert "FREE" in joined
    assert "Free" in joined
    assert "free" in joined
    assert not joined.isascii()


def test_n_grams_longer_than_a_text_may_be_are_left_out_of_the_comparison(
    dump: Callable[[Any], Path],
) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    pipeline.fit(["free " + "x" * MAX_TEXT_BYTES, "lunch home"], ["spam", "ham"])
    _, texts = import_pipeline(dump(pipeline), None, {})
    assert [fault_of(text) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize("parts", ["vectoriser", "everything"])
def test_a_pipeline_in_float32_may_differ_by_its_own_precision(
    dump: Callable[[Any], Path], parts: str
) -> None:
    pipeline = plain(dtype=np.float32)
    if parts == "everything":
        pipeline[-1].coef_ = pipeline[-1].coef_.astype(np.float32)
        pipeline[-1].intercept_ = pipeline[-1].intercept_.astype(np.float32)
    else:
        pipeline[-1].coef_ = pipeline[-1].coef_.astype(np.float64)
    model, texts = import_pipeline(dump(pipeline), None, {})
    assert np.abs(model.predict_proba(texts) - pipeline.predict_proba(texts)).max() < 1e-6


def louder() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), Louder()).fit(TEXTS, LABELS)


def old_liblinear() -> Pipeline:
    """Return three labels as scikit-learn before 1.8 stored them, when it gave other answers than now."""
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(*labelled(ABUSE_GROUPS, 40))
    pipeline[-1].solver = "liblinear"
    return pipeline


def several_labels_at_once() -> Pipeline:
    classifier = OneVsRestClassifier(LogisticRegression())
    columns = np.array(
        [[label == "spam", label == "ham", "free" in text] for text, label in zip(TEXTS, LABELS, strict=True)]
    )
    return make_pipeline(TfidfVectorizer(), classifier).fit(TEXTS, columns.astype(int))  # fmt: skip


@pytest.mark.parametrize(
    "pipeline",
    [
        louder,
        old_liblinear,
        several_labels_at_once,
    ],
    ids=["own probabilities", "old liblinear", "several labels at once"],
)
def test_a_model_that_answers_differently_is_refused(
    dump: Callable[[Any], Path], pipeline: Callable[[], Pipeline]
) -> None:
    with pytest.raises(ConversionError, match=r"differs from .* in probability.*was not imported"):
        import_pipeline(dump(pipeline()), None, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"There is no file .*none\.joblib"):
        import_pipeline(tmp_path / "none.joblib", None, {})


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x80\x04cno_such_module\nThing\n.", b"\x00" * 100], ids=len
)
def test_a_file_that_is_no_joblib_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(content)
    with pytest.raises(ConversionError, match="could not be loaded as a joblib file"):
        import_pipeline(path, None, {})


@pytest.mark.parametrize("thing", [{"model": 1}, TfidfVectorizer(), LogisticRegression()], ids=str)
def test_a_joblib_file_of_something_else_is_refused(dump: Callable[[Any], Path], thing: Any) -> None:
    with pytest.raises(ConversionError, match="pipeline of a vectoriser and a classifier is needed"):
        import_pipeline(dump(thing), ["ham", "spam"], {})
