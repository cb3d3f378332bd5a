"""From n-gram counts and evidence to the weights of a logistic regression, with scikit-learn.

``idf``: TF-IDF and logistic regression. ``nb``: binary counts scaled by their log-count ratio (Wang and
Manning, "Baselines and Bigrams", ACL 2012, section 2.3), rows scaled to length 1, logistic regression.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assay.estimators.conversion import arrange
from assay.estimators.linear import Floats
from assay.exceptions import DataError
from assay.families import TfidfConfig

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression


class Features(NamedTuple):
    """What is known of texts: each block's counts (texts, n-grams), and which rules hit, (texts, rules)."""

    counts: tuple["csr_matrix", ...]
    evidence: NDArray[np.bool_]

    def rows(self, chosen: NDArray[np.bool_]) -> Self:
        """Return what is known of the chosen texts."""
        return type(self)(tuple(block[chosen] for block in self.counts), self.evidence[chosen])


class Weighing(NamedTuple):
    """How the counts of one block become values: which n-grams are known, and the scale of these."""

    known: NDArray[np.bool_]
    scale: Floats
    sublinear: bool

    def values(self, counts: "csr_matrix") -> "csr_matrix":
        """Return each text's values, its row of length 1; ``counts`` has a column for every n-gram."""
        from sklearn.preprocessing import normalize

        values = (counts if self.known.all() else counts[:, self.known]).astype(np.float64)
        if self.sublinear:
            values.data = np.log(values.data) + 1.0
        values.data *= self.scale[values.indices]
        return normalize(values, copy=False)


class Regression(NamedTuple):
    """A fitted regression: a weighing a block, weights (logits, features) and intercepts (logits,).

    The features are the n-grams that each block knows, then the evidence rules.
    """

    weighings: tuple[Weighing, ...]
    coef: Floats
    intercept: Floats

    def logits(self, features: Features) -> Floats:
        """Return the logits of texts, shape (texts, logits)."""
        logits: Floats = _join(self.weighings, features) @ self.coef.T + self.intercept
        return logits


def fit_regression(
    config: TfidfConfig, labels: Sequence[str], features: Features, targets: NDArray[np.str_]
) -> Regression:
    """Return the regression fitted on texts, its logits in the order of ``labels``.

    N-grams in fewer than ``min_df`` of the texts take no part. Raises DataError when a block has no others.
    """
    ratios = config.weighting == "nb"
    positive = targets == labels[1]
    weighings = tuple(_weighing(config, block, positive) for block in features.counts)
    matrix = _join(weighings, features)
    # The ratios compare labels[1] with labels[0], whatever their order in the alphabet.
    classifier = _classifier(config, len(labels), dual=ratios).fit(matrix, positive if ratios else targets)
    classes = list(labels) if ratios else classifier.classes_.tolist()
    return Regression(weighings, *arrange(classifier.coef_, classifier.intercept_, classes, labels))


def _weighing(config: TfidfConfig, counts: "csr_matrix", positive: NDArray[np.bool_]) -> Weighing:
    """Return what the counts of training rows teach, as if they alone had been counted."""
    rows = np.bincount(counts.indices, minlength=counts.shape[1])
    known = rows >= config.min_df
    if not known.any():
        raise DataError(
            f"none of the n-grams is in {config.min_df} of the {counts.shape[0]:,} texts",
            rows=counts.shape[0],
        )
    if config.weighting == "nb":
        frequent = counts if known.all() else counts[:, known]
        ratio = log_count_ratio(frequent, positive, config.alpha)
        return Weighing(known, ratio, sublinear=False)
    # Smooth, as in TfidfTransformer: as if one text more held every n-gram once.
    idf = np.log((counts.shape[0] + 1) / (rows[known] + 1.0)) + 1.0
    return Weighing(known, idf, config.sublinear_tf)


def _join(weighings: Sequence[Weighing], features: Features) -> "csr_matrix":
    """Return the matrix of all features, shape (texts, features)."""
    from scipy.sparse import csr_matrix, hstack

    blocks = [weighing.values(part) for weighing, part in zip(weighings, features.counts, strict=True)]
    if features.evidence.shape[1]:
        blocks.append(csr_matrix(features.evidence, dtype=np.float64))
    return blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr")


def log_count_ratio(matrix: "csr_matrix", positive: NDArray[np.bool_], alpha: float) -> Floats:
    """Return ln((p / |p|) / (q / |q|)) a feature, with p and q the smoothed counts of the two sides.

    ``matrix`` holds binary counts, shape (texts, features); ``positive`` marks the rows of the one side.
    Source: Wang and Manning (2012), section 2.
    """
    p = alpha + np.asarray(matrix[positive].sum(axis=0), np.float64).ravel()
    q = alpha + np.asarray(matrix[~positive].sum(axis=0), np.float64).ravel()
    ratio: Floats = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratio


def _classifier(config: TfidfConfig, labels: int, *, dual: bool) -> "LogisticRegression":
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
