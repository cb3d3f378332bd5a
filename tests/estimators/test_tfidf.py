"""Evidence beside n-grams: a hit is a feature of value 1, fitted as scikit-learn would."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from assay.estimators.regression import log_count_ratio
from assay.estimators.tfidf import Fitted, fit_linear
from assay.exceptions import DataError
from assay.families import TfidfConfig
from tests.conftest import QUIET
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled

TEXTS, TARGETS = labelled(SPAM_GROUPS, 40)
UNSEEN = labelled(SPAM_GROUPS, 10, seed=5)[0]


def fit(
    texts: Sequence[str] = TEXTS,
    targets: Sequence[str] = TARGETS,
    labels: Sequence[str] = ("spam", "ham"),
    evidence: dict[str, NDArray[np.bool_]] | None = None,
    **config: Any,
) -> Fitted:
    return fit_linear(TfidfConfig(**config), labels, texts, targets, evidence=evidence, progress=QUIET)


def containing(word: str, texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([word in text for text in texts])


def evidence_of(texts: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    return {"sevens": containing("7", texts), "asks": containing("?", texts)}


def test_evidence_is_a_column_of_ones_beside_tf_idf() -> None:
    evidence = evidence_of(TEXTS)
    model = fit(evidence=evidence, C=3.0).model
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    columns = np.hstack([vectoriser.fit_transform(TEXTS).toarray(), np.column_stack([*evidence.values()])])
    classifier = LogisticRegression(C=3.0, solver="liblinear", random_state=0).fit(columns, TARGETS)
    hits = np.column_stack([*evidence_of(UNSEEN).values()])
    rows = np.hstack([vectoriser.transform(UNSEEN).toarray(), hits])
    # The task's labels run against the alphabet: the second is ham.
    expected = classifier.predict_proba(rows)
    assert np.abs(model.predict_proba(UNSEEN, hits) - expected[:, ::-1]).max() < 1e-9


def test_evidence_is_a_column_of_ones_beside_ratios() -> None:
    evidence = evidence_of(TEXTS)
    model = fit(evidence=evidence, weighting="nb").model
    vectoriser = CountVectorizer(ngram_range=(1, 2), min_df=2, binary=True)
    positive = np.array(TARGETS) == "ham"
    counts = vectoriser.fit_transform(TEXTS)
    ratio = log_count_ratio(counts, positive, 1.0)

    def rows(counts: Any, hits: NDArray[np.bool_]) -> NDArray[np.float64]:
        weighed = counts.toarray() * ratio
        return np.hstack([weighed / np.linalg.norm(weighed, axis=1, keepdims=True), hits])

    classifier = LogisticRegression(C=10.0, solver="liblinear", dual=True, max_iter=1000, random_state=0)
    classifier.fit(rows(counts, np.column_stack([*evidence.values()])), positive)
    hits = np.column_stack([*evidence_of(UNSEEN).values()])
    expected = classifier.predict_proba(rows(vectoriser.transform(UNSEEN), hits))
    assert np.abs(model.predict_proba(UNSEEN, hits) - expected).max() < 1e-9


def test_evidence_weighs_on_each_of_many_labels() -> None:
    texts, targets = labelled(ABUSE_GROUPS, 30)
    labels = ("offensive_language", "neither", "hate_speech")
    hate = np.array(targets) == "hate_speech"
    model = fit(texts, targets, labels, {"nothing": np.zeros(90, np.bool_), "tells": hate}).model
    assert model.evidence is not None
    assert model.evidence.rules == ("nothing", "tells")
    assert np.abs(model.evidence.coef[0]).max() == 0
    assert model.evidence.coef[1].argmax() == 2
    assert model.predict_proba(["lunch"], np.array([[False, True]])).argmax() == 2


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"weighting": "nb", "tokens": "words-and-punctuation", "word_ngrams": (1, 3), "min_df": 3},
        {"char_ngrams": (2, 5), "sublinear_tf": False},
    ],
    ids=["tf-idf", "ratios", "characters"],
)
def test_python_counts_to_the_same_model(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    by_kernel = fit(**config).model
    monkeypatch.setenv("ASSAY_KERNEL", "python")
    by_python = fit(**config).model
    assert by_kernel.spec == by_python.spec
    expected = by_python.to_arrays()
    for name, array in by_kernel.to_arrays().items():
        assert np.array_equal(array, expected[name]), name


def test_without_rules_a_model_has_no_evidence() -> None:
    plain, empty = fit().model, fit(evidence={}).model
    assert plain.evidence is None
    assert empty.evidence is None
    assert np.array_equal(plain.logits(UNSEEN), empty.logits(UNSEEN))


def test_evidence_alone_is_not_enough_to_learn_from() -> None:
    with pytest.raises(DataError, match="No n-gram is left to learn from"):
        fit(evidence=evidence_of(TEXTS), min_df=99)


@pytest.mark.parametrize(
    ("hits", "given"),
    [
        (np.zeros(79, np.bool_), r"bool of shape \(79,\)"),
        (np.zeros((80, 1), np.bool_), r"bool of shape \(80, 1\)"),
        (np.zeros(80), r"float64 of shape \(80,\)"),
    ],
    ids=["a text too few", "a column", "numbers"],
)
def test_hits_that_do_not_fit_the_texts_are_refused(hits: Any, given: str) -> None:
    with pytest.raises(ValueError, match=rf"rule 'asks' must be bool of shape \(80,\), not {given}"):
        fit(evidence={"asks": hits})
