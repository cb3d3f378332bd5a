"""Fitting linear models over n-grams and evidence: counted once, fitted on all rows and fold by fold."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.config import EstimatorConfig
from assay.estimators.conversion import Counted, assemble, count_steps
from assay.estimators.cross_validation import held_out_logits
from assay.estimators.linear import Floats, LinearModel, Link
from assay.estimators.ngrams import TOKEN_PATTERNS
from assay.estimators.regression import Features, Regression, fit_regression
from assay.exceptions import DataError, MissingExtra
from assay.progress import Progress


class Fitted(NamedTuple):
    """A model of all rows, and each row's logits by a model of the other folds, shape (texts, logits).

    ``held_out`` is in the scale of ``model.logits``; None where no folds were asked for or could be fitted.
    """

    model: LinearModel
    held_out: Floats | None


def fit_linear(
    config: EstimatorConfig,
    labels: Sequence[str],
    texts: Sequence[str],
    targets: Sequence[str],
    *,
    evidence: Mapping[str, NDArray[np.bool_]] | None = None,
    folds: Sequence[int] | NDArray[np.int64] | None = None,
    progress: Progress,
) -> Fitted:
    """Return the model fitted on texts and their labels, with held-out logits where there are folds.

    ``evidence`` says for each rule, by its id, which texts it hit; a hit is a feature of value 1 beside the
    n-grams. ``folds`` holds each text's fold (``folds_of``). Raises DataError when the texts leave nothing
    to learn from, MissingExtra without scikit-learn.
    """
    _check_targets(labels, targets)
    hits = _columns(evidence or {}, len(texts))
    with progress.step(f"count the n-grams of {len(texts):,} texts"):
        counted, counts = _count(config, texts)
    features, truth = Features(counts, hits), np.asarray(targets)
    with progress.step(f"fit {sum(part.shape[1] for part in (*counts, hits)):,} weights"):
        regression = fit_regression(config, labels, features, truth)
        model = _model(config, labels, counted, regression, list(evidence or {}))
    if folds is None:
        return Fitted(model, None)
    numbers = np.asarray(folds, np.int64)
    if numbers.shape != truth.shape:
        raise ValueError(f"There are {len(numbers)} fold numbers for {len(truth)} texts.")
    return Fitted(model, held_out_logits(config, labels, features, truth, numbers, progress=progress))


def _check_targets(labels: Sequence[str], targets: Sequence[str]) -> None:
    strays = sorted(set(targets) - set(labels))
    if strays:
        raise DataError(
            f"Training rows have labels that the task does not list: {strays}; it lists {list(labels)}.",
            labels=strays,
        )
    absent = sorted(set(labels) - set(targets))
    if absent:
        raise DataError(
            f"No training row has the label {absent[0]!r}; every label needs rows.", labels=absent
        )


def _columns(evidence: Mapping[str, NDArray[np.bool_]], texts: int) -> NDArray[np.bool_]:
    """Return the hits of all rules, shape (texts, rules)."""
    hits = np.zeros((texts, len(evidence)), np.bool_)
    for column, (rule, found) in enumerate(evidence.items()):
        if found.shape != (texts,) or found.dtype != np.bool_:
            raise ValueError(
                f"The hits of rule {rule!r} must be bool of shape {(texts,)}, "
                f"not {found.dtype} of shape {found.shape}."
            )
        hits[:, column] = found
    return hits


def _count(config: EstimatorConfig, texts: Sequence[str]) -> tuple[list[Counted], tuple[Any, ...]]:
    """Return each block's n-grams, and how often they are in each text (texts, n-grams)."""
    vectorisers = _vectorisers(config)
    try:
        counts = tuple(vectoriser.fit_transform(texts) for vectoriser in vectorisers)
    except ValueError as error:
        raise DataError(
            f"No n-gram is left to learn from ({error}). "
            f"Lower min_df, now {config.min_df}, or bring more rows.",
            rows=len(texts),
        ) from error
    return [part for vectoriser in vectorisers for part in count_steps([vectoriser])], counts


def _vectorisers(config: EstimatorConfig) -> list[Any]:
    try:
        from sklearn.feature_extraction.text import CountVectorizer
    except ImportError as error:
        raise MissingExtra("Training", package="scikit-learn", extra="train") from error
    shared: dict[str, Any] = {"min_df": config.min_df, "binary": config.weighting == "nb"}
    pattern = TOKEN_PATTERNS[config.tokens]
    words = CountVectorizer(ngram_range=config.word_ngrams, token_pattern=pattern, **shared)
    if config.char_ngrams is None:
        return [words]
    return [words, CountVectorizer(ngram_range=config.char_ngrams, analyzer="char_wb", **shared)]


def _model(
    config: EstimatorConfig,
    labels: Sequence[str],
    counted: Sequence[Counted],
    regression: Regression,
    rules: Sequence[str],
) -> LinearModel:
    changes: dict[str, Any] = {"norm": "l2"}
    if config.weighting == "idf" and config.sublinear_tf:
        changes["tf"] = "log"
    parts = [
        part._replace(spec=part.spec.model_copy(update=changes), scale=weighing.scale)
        for part, weighing in zip(counted, regression.weighings, strict=True)
    ]
    link: Link = "sigmoid" if len(labels) == 2 else "softmax"
    return assemble(labels, link, parts, regression.coef, regression.intercept, rules)
