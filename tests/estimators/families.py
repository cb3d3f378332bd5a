"""Every family of estimator beside the same model written plainly with scikit-learn and numpy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from assay.config import Task
from assay.datasets import Rows
from assay.estimators import Cascade, choose_operating_point, convert_pipeline, train_cascade
from tests.conftest import QUIET, make_task

PUNCTUATION = r"\w+|[^\w\s]"
Reference = Callable[[Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True)
class Family:
    """A kind of model: its labels, deliberately not in alphabetical order, and its estimator's settings."""

    name: str
    labels: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    min_df: int = 2

    @property
    def task(self) -> Task:
        estimator = {"min_df": self.min_df, "C": 10.0, **self.settings}
        return make_task("trial", list(self.labels), estimator=estimator)


FAMILIES = (
    Family("words", ("spam", "ham")),
    Family("words-and-characters", ("ham", "spam"), {"char_ngrams": [2, 4]}, min_df=5),
    Family(
        "ratios",
        ("spam", "ham"),
        {"weighting": "nb", "tokens": "words-and-punctuation", "word_ngrams": [1, 3], "alpha": 0.5},
    ),
    Family("ratios-and-characters", ("ham", "spam"), {"weighting": "nb", "char_ngrams": [3, 3]}),
    Family("three-labels", ("spam", "ham", "film"), {"class_weight": "balanced"}),
    Family("three-labels-one-against-the-rest", ("spam", "ham", "film")),
)


def train(family: Family, texts: list[str], targets: list[str]) -> tuple[Cascade, Reference]:
    """Return a family's cascade, and the plain model that must give the same probabilities."""
    if family.name.endswith("against-the-rest"):
        pipeline = one_against_the_rest().fit(texts, targets)
        model = convert_pipeline(pipeline, family.labels, {})
        point, _ = choose_operating_point(family.task.threshold, family.labels, family.labels[-1], None)
        return Cascade(task=family.task, model=model, operating_point=point), ordered(family, pipeline)
    cascade = train_cascade(family.task, Rows(texts, targets), progress=QUIET)
    if family.settings.get("weighting") == "nb":
        return cascade, ratios(family, texts, targets)
    return cascade, ordered(family, weighed(family).fit(texts, targets))


def one_against_the_rest() -> Pipeline:
    classifier = OneVsRestClassifier(SGDClassifier(loss="log_loss", random_state=0))
    return make_pipeline(TfidfVectorizer(min_df=2), classifier)


def ordered(family: Family, pipeline: Pipeline) -> Reference:
    columns = [list(pipeline.classes_).index(label) for label in family.labels]
    return lambda texts: pipeline.predict_proba(texts)[:, columns]


def weighed(family: Family) -> Pipeline:
    """Return TF-IDF and logistic regression, unfitted."""
    shared = {"sublinear_tf": True, "min_df": family.min_df}
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), **shared)
    if "char_ngrams" in family.settings:
        low, high = family.settings["char_ngrams"]
        chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(low, high), **shared)
        vectoriser = make_union(vectoriser, chars)
    solver = "liblinear" if len(family.labels) == 2 else "lbfgs"
    weight = family.settings.get("class_weight")
    classifier = LogisticRegression(C=10.0, solver=solver, class_weight=weight, max_iter=1000, random_state=0)
    return make_pipeline(vectoriser, classifier)


def ratios(family: Family, texts: list[str], targets: list[str]) -> Reference:
    """Return Wang and Manning's model, in dense numpy: rows of binary counts times r, of length 1."""
    settings = family.settings
    low, high = settings.get("word_ngrams", [1, 2])
    pattern = PUNCTUATION if "tokens" in settings else r"\b\w\w+\b"
    counters = [CountVectorizer(ngram_range=(low, high), token_pattern=pattern, min_df=family.min_df)]
    if "char_ngrams" in settings:
        bounds = tuple(settings["char_ngrams"])
        counters.append(CountVectorizer(ngram_range=bounds, analyzer="char_wb", min_df=family.min_df))
    positive = np.array(targets) == family.labels[1]
    alpha, logs = settings.get("alpha", 1.0), []
    for counter in counters:
        f = counter.fit_transform(texts).toarray() > 0
        p, q = alpha + f[positive].sum(axis=0), alpha + f[~positive].sum(axis=0)
        logs.append(np.log((p / p.sum()) / (q / q.sum())))

    def rows(texts: Sequence[str]) -> NDArray[np.float64]:
        parts = [(c.transform(texts).toarray() > 0) * r for c, r in zip(counters, logs, strict=True)]
        lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
        return np.hstack(
            [part / np.where(size > 0, size, 1) for part, size in zip(parts, lengths, strict=True)]
        )

    classifier = LogisticRegression(C=10.0, solver="liblinear", dual=True, max_iter=1000, random_state=0)
    classifier.fit(rows(texts), positive)

    def reference(texts: Sequence[str]) -> NDArray[np.float64]:
        pieces = [texts[at : at + 500] for at in range(0, len(texts), 500)]
        return np.vstack([classifier.predict_proba(rows(piece)) for piece in pieces])

    return reference
