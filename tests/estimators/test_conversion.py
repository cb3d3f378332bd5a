"""Pipelines of scikit-learn become linear models with the same probabilities, or are refused."""

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC

from assay.estimators import convert_pipeline
from assay.exceptions import ConversionError
from tests.corpus import ABUSE_GROUPS, ODD, SPAM_GROUPS, labelled

TEXTS, LABELS = labelled(SPAM_GROUPS, 60)
MANY_TEXTS, MANY_LABELS = labelled(ABUSE_GROUPS, 60)
UNSEEN = labelled(SPAM_GROUPS, 20, seed=9)[0] + ODD + ["zzz", "FREE Prize, the café"]

VECTORISERS = {
    "tfidf": TfidfVectorizer(),
    "tfidf with every option": TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, norm="l1", smooth_idf=False, min_df=2, strip_accents="unicode"
    ),
    "case, accents and stop words": TfidfVectorizer(
        lowercase=False, strip_accents="ascii", stop_words="english", ngram_range=(1, 2), norm=None
    ),
    "own stop words": TfidfVectorizer(stop_words=["the", "call"], ngram_range=(1, 2)),
    "one-letter words": TfidfVectorizer(token_pattern=r"(?u)\b\w+\b"),
    "punctuation": TfidfVectorizer(token_pattern=r"(?u)\w+|[^\w\s]", use_idf=False),
    "binary": TfidfVectorizer(binary=True, sublinear_tf=True),
    "counts": CountVectorizer(),
    "a vocabulary of its own": CountVectorizer(vocabulary=["prize", "free", "lunch"]),
    "characters": TfidfVectorizer(analyzer="char", ngram_range=(1, 4)),
    "characters in words": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)),
    "counts, then weights": make_pipeline(CountVectorizer(ngram_range=(1, 2)), TfidfTransformer()),
    "a passed step": Pipeline([("count", CountVectorizer()), ("nothing", "passthrough")]),
    "a weighted union": FeatureUnion(
        [
            ("words", TfidfVectorizer()),
            ("nothing", "drop"),
            ("chars", make_pipeline(CountVectorizer(analyzer="char_wb"), TfidfTransformer())),
            ("nested", make_union(CountVectorizer(ngram_range=(2, 2)), TfidfVectorizer(norm="l1"))),
        ],
        transformer_weights={"words": 0.5, "nested": 0.1},
    ),
}
CLASSIFIERS = {
    "logistic regression": LogisticRegression(C=10),
    "liblinear": LogisticRegression(solver="liblinear"),
    "cross-validated": LogisticRegressionCV(
        Cs=2, cv=2, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"
    ),
    "gradient descent": SGDClassifier(loss="log_loss", random_state=0),
    "one against the rest": OneVsRestClassifier(LogisticRegression()),
    "one against the rest by descent": OneVsRestClassifier(SGDClassifier(loss="log_loss", random_state=0)),
    "multinomial": MultinomialNB(alpha=0.5),
    "multinomial without a prior": MultinomialNB(fit_prior=False),
    "complement": ComplementNB(norm=True),
}


def agree(pipeline: Any, labels: list[str], names: dict[str, str] | None = None) -> None:
    """Assert that the converted pipeline gives the pipeline's probabilities, columns in ``labels`` order."""
    model = convert_pipeline(pipeline, labels, names or {})
    classes = [(names or {}).get(str(c), str(c)) for c in pipeline.classes_]
    expected = pipeline.predict_proba(UNSEEN)[:, [classes.index(label) for label in labels]]
    assert model.labels == tuple(labels)
    assert np.abs(model.predict_proba(UNSEEN) - expected).max() < 1e-9


@pytest.mark.parametrize("vectoriser", VECTORISERS.values(), ids=VECTORISERS.keys())
def test_vectorisers_convert(vectoriser: Any) -> None:
    agree(make_pipeline(vectoriser, LogisticRegression(C=10)).fit(TEXTS, LABELS), ["ham", "spam"])


@pytest.mark.parametrize("classifier", CLASSIFIERS.values(), ids=CLASSIFIERS.keys())
def test_classifiers_of_two_labels_convert_in_either_order(classifier: Any) -> None:
    pipeline = make_pipeline(CountVectorizer(), classifier).fit(TEXTS, LABELS)
    agree(pipeline, ["ham", "spam"])
    agree(pipeline, ["spam", "ham"])


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name != "liblinear"])
def test_classifiers_of_three_labels_convert_in_any_order(name: str) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), CLASSIFIERS[name]).fit(MANY_TEXTS, MANY_LABELS)
    agree(pipeline, ["offensive_language", "hate_speech", "neither"])


def test_integer_classes_take_the_names_given() -> None:
    targets = [int(label == "spam") for label in LABELS]
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, targets)
    agree(pipeline, ["spam", "ham"], {"0": "ham", "1": "spam"})
    agree(pipeline, ["0", "1"])


def test_sparse_coefficients_convert() -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=0.1)).fit(TEXTS, LABELS)
    pipeline[-1].sparsify()
    agree(pipeline, ["ham", "spam"])


class Counter(CountVectorizer):
    """A vectoriser of a team's own."""


REFUSED = {
    "support vectors": ([TfidfVectorizer(), LinearSVC()], r"LinearSVC\(\) gives no probabilities"),
    "hinge loss": ([TfidfVectorizer(), SGDClassifier()], r"SGDClassifier\(\) gives no probabilities"),
    "Huber loss": ([TfidfVectorizer(), SGDClassifier(loss="modified_huber")], "gives no probabilities"),
    "Bernoulli": ([TfidfVectorizer(), BernoulliNB()], "gives no probabilities"),
    "calibrated": ([TfidfVectorizer(), CalibratedClassifierCV(LogisticRegression())], "gives no probab"),
    "many of many": ([TfidfVectorizer(), OneVsRestClassifier(MultinomialNB())], "gives no probabilities"),
    "hashing": (
        [HashingVectorizer(n_features=64), LogisticRegression()],
        r"\['HashingVectorizer'\] have no n-gram",
    ),
    "projection": (
        [TfidfVectorizer(), TruncatedSVD(2), LogisticRegression()],
        r"\['TfidfVectorizer', 'TruncatedSVD'\] have no n-gram form",
    ),
    "weights twice": ([TfidfVectorizer(), TfidfTransformer(), LogisticRegression()], "no n-gram form"),
    "weights over a union": (
        [FeatureUnion([("a", CountVectorizer())]), TfidfTransformer(), LogisticRegression()],
        r"\['FeatureUnion', 'TfidfTransformer'\] have no n-gram form",
    ),
    "own tokenizer": (
        [TfidfVectorizer(tokenizer=str.split, token_pattern=None), LogisticRegression()],
        "a function of its own",
    ),
    "own preprocessor": ([TfidfVectorizer(preprocessor=str.strip), LogisticRegression()], "of its own"),
    "own analyzer": ([TfidfVectorizer(analyzer=str.split), LogisticRegression()], "of its own"),
    "own accents": ([TfidfVectorizer(strip_accents=str.strip), LogisticRegression()], "function for accents"),
    "own class": ([Counter(), LogisticRegression()], r"\['Counter'\] have no n-gram form"),
    "unknown tokens": (
        [TfidfVectorizer(token_pattern=r"[a-z]+"), LogisticRegression()],
        r"token pattern '\[a-z\]\+' is not known",
    ),
    "long n-grams": (
        [TfidfVectorizer(ngram_range=(1, 12)), LogisticRegression()],
        r"(?s)no form here.*ngrams\.1",
    ),
}


@pytest.mark.parametrize(("steps", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_same_form_is_refused(steps: list[Any], message: str) -> None:
    pipeline = make_pipeline(*steps).fit(TEXTS, LABELS)
    with pytest.raises(ConversionError, match=message):
        convert_pipeline(pipeline, ["ham", "spam"], {})


def test_a_vectoriser_of_files_is_refused() -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    pipeline[0].set_params(input="filename")
    with pytest.raises(ConversionError, match="input='content'"):
        convert_pipeline(pipeline, ["ham", "spam"], {})


def test_weights_that_are_not_finite_are_refused() -> None:
    pipeline = make_pipeline(CountVectorizer(), MultinomialNB()).fit(TEXTS, LABELS)
    pipeline[-1].feature_log_prob_[0, 0] = -np.inf
    with pytest.raises(ConversionError, match=r"weights of MultinomialNB\(\) are not all finite"):
        convert_pipeline(pipeline, ["ham", "spam"], {})


def test_a_vocabulary_of_lone_surrogates_is_refused() -> None:
    texts = [text + "\ud800" for text in TEXTS]
    pipeline = make_pipeline(TfidfVectorizer(analyzer="char"), LogisticRegression()).fit(texts, LABELS)
    with pytest.raises(ConversionError, match="lone surrogates"):
        convert_pipeline(pipeline, ["ham", "spam"], {})


@pytest.mark.parametrize(
    "thing",
    [
        LogisticRegression(),
        Pipeline([("classifier", LogisticRegression())]),
        Pipeline([("nothing", "passthrough"), ("classifier", LogisticRegression())]),
        None,
        "model",
    ],
    ids=["a classifier", "a lone step", "a passed step", "nothing", "text"],
)
def test_what_is_no_pipeline_of_two_steps_is_refused(thing: Any) -> None:
    with pytest.raises(ConversionError, match="pipeline of a vectoriser and a classifier is needed"):
        convert_pipeline(thing, ["ham", "spam"], {})


@pytest.mark.parametrize("fitted", ["nothing", "classifier", "counts"])
def test_a_pipeline_that_was_not_fitted_is_refused(fitted: str) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    if fitted != "nothing":
        rows = CountVectorizer().fit_transform(TEXTS)
        pipeline[-1].fit(rows, LABELS)
    if fitted == "counts":
        pipeline = make_pipeline(CountVectorizer().fit(TEXTS), TfidfTransformer(), pipeline[-1])
    with pytest.raises(ConversionError, match="was not fitted"):
        convert_pipeline(pipeline, ["ham", "spam"], {})


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["ham", "scam"], {}),
        (["ham", "spam", "eggs"], {}),
        (["ham"], {}),
        (["ham", "spam"], {"ham": "spam"}),
    ],
    ids=["another label", "a label too many", "a label too few", "two classes of one name"],
)
def test_classes_that_are_not_the_labels_are_refused(labels: list[str], names: dict[str, str]) -> None:
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    with pytest.raises(ConversionError, match=r"are not the labels .* map them with --labels"):
        convert_pipeline(pipeline, labels, names)
