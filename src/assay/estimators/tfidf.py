"""Fitting linear models over n-grams with scikit-learn.

``idf``: TF-IDF and logistic regression. ``nb``: binary counts scaled by their log-count ratio (Wang and
Manning, "Baselines and Bigrams", ACL 2012, section 2.3), rows scaled to length 1, logistic regression.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.config import EstimatorConfig
from assay.estimators.conversion import assemble, convert_pipeline, count_steps
from assay.estimators.linear import Floats, LinearModel
from assay.estimators.ngrams import TOKEN_PATTERNS
from assay.exceptions import DataError, MissingExtra
from assay.progress import Progress

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression


def fit_linear(
    config: EstimatorConfig,
    labels: Sequence[str],
    texts: Sequence[str],
    targets: Sequence[str],
    *,
    progress: Progress,
) -> LinearModel:
    """Return the model fitted on texts and their labels.

    Raises DataError when the texts leave nothing to learn from, MissingExtra without scikit-learn.
    """
    try:
        from sklearn.pipeline import Pipeline
    except ImportError as error:
        raise MissingExtra("Training", package="scikit-learn", extra="train") from error
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
    vectoriser = _vectoriser(config)
    with progress.step(f"count the n-grams of {len(texts):,} texts"):
        try:
            matrix = vectoriser.fit_transform(texts)
        except ValueError as error:
            raise DataError(
                f"No n-gram is left to learn from ({error}). "
                f"Lower min_df, now {config.min_df}, or bring more rows.",
                rows=len(texts),
            ) from error
    with progress.step(f"fit {matrix.shape[1]:,} weights"):
        if config.weighting == "nb":
            return _fit_ratios(config, labels, vectoriser, matrix, np.asarray(targets))
        classifier = _regression(config, len(labels)).fit(matrix, targets)
    return convert_pipeline(Pipeline([("ngrams", vectoriser), ("classifier", classifier)]), labels, {})


def log_count_ratio(matrix: "csr_matrix", positive: NDArray[np.bool_], alpha: float) -> Floats:
    """Return ln((p / |p|) / (q / |q|)) a feature, with p and q the smoothed counts of the two sides.

    ``matrix`` holds binary counts, shape (texts, features); ``positive`` marks the rows of the one side.
    Source: Wang and Manning (2012), section 2.
    """
    p = alpha + np.asarray(matrix[positive].sum(axis=0), np.float64).ravel()
    q = alpha + np.asarray(matrix[~positive].sum(axis=0), np.float64).ravel()
    ratio: Floats = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratio


def _fit_ratios(
    config: EstimatorConfig,
    labels: Sequence[str],
    vectoriser: Any,
    matrix: "csr_matrix",
    targets: NDArray[np.str_],
) -> LinearModel:
    """Return the regression on binary counts scaled by their ratio, each block's rows of length 1."""
    from scipy.sparse import hstack
    from sklearn.preprocessing import normalize

    positive = targets == labels[1]
    parts, blocks, at = [], [], 0
    for part in count_steps([vectoriser]):
        columns = matrix[:, at : at + len(part.grams)].astype(np.float64)
        at += len(part.grams)
        ratio = log_count_ratio(columns, positive, config.alpha)
        columns.data = ratio[columns.indices]
        parts.append(part._replace(spec=part.spec.model_copy(update={"norm": "l2"}), scale=ratio))
        blocks.append(normalize(columns, copy=False))
    classifier = _regression(config, 2, dual=True).fit(hstack(blocks, format="csr"), positive)
    return assemble(labels, "sigmoid", parts, classifier.coef_, classifier.intercept_)


def _vectoriser(config: EstimatorConfig) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    kind: Any = TfidfVectorizer
    shared: dict[str, Any] = {"min_df": config.min_df, "sublinear_tf": config.sublinear_tf}
    if config.weighting == "nb":
        kind, shared = CountVectorizer, {"min_df": config.min_df, "binary": True}
    pattern = TOKEN_PATTERNS[config.tokens]
    words = kind(ngram_range=config.word_ngrams, token_pattern=pattern, **shared)
    if config.char_ngrams is None:
        return words
    chars = kind(ngram_range=config.char_ngrams, analyzer="char_wb", **shared)
    return FeatureUnion([("words", words), ("chars", chars)])


def _regression(config: EstimatorConfig, labels: int, *, dual: bool = False) -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=config.C,
        # liblinear is several times faster on sparse rows but knows two labels only.
        solver="liblinear" if labels == 2 else "lbfgs",
        class_weight=None if config.class_weight == "none" else config.class_weight,
        dual=dual,
        max_iter=config.max_iter,
        random_state=config.seed,
    )
