"""Fitting linear models over n-grams and evidence: counted once, fitted on all rows and fold by fold."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators.conversion import Counted, assemble
from assay.estimators.counting import Counts, count_ngrams, specs_of
from assay.estimators.cross_validation import held_out_logits
from assay.estimators.linear import Floats, LinearModel, Link
from assay.estimators.ngrams import NgramSpec
from assay.estimators.regression import Features, Regression, fit_regression
from assay.exceptions import DataError
from assay.families import TfidfConfig
from assay.progress import Progress


class Fitted(NamedTuple):
    """A model of all rows, and each row's logits by a model of the other folds, shape (texts, logits).

    ``held_out`` is in the scale of ``model.logits``; None where no folds were asked for or could be fitted.
    """

    model: LinearModel
    held_out: Floats | None


def fit_linear(
    config: TfidfConfig,
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
    check_targets(labels, targets)
    hits = _columns(evidence or {}, len(texts))
    with progress.step(f"count the n-grams of {len(texts):,} texts"):
        specs = specs_of(config)
        counts = [count_ngrams(spec, texts, config.min_df) for spec in specs]
    features, truth = Features(tuple(part.matrix for part in counts), hits), np.asarray(targets)
    with progress.step(f"fit {sum(len(part.grams) for part in counts) + hits.shape[1]:,} weights"):
        regression = fit_regression(config, labels, features, truth)
        model = _model(labels, specs, counts, regression, list(evidence or {}))
    if folds is None:
        return Fitted(model, None)
    numbers = np.asarray(folds, np.int64)
    if numbers.shape != truth.shape:
        raise ValueError(f"There are {len(numbers)} fold numbers for {len(truth)} texts.")
    return Fitted(model, held_out_logits(config, labels, features, truth, numbers, progress=progress))


def check_targets(labels: Sequence[str], targets: Sequence[str]) -> None:
    """Raise DataError unless every row's label is one of the task's, and each of these has rows."""
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


def _model(
    labels: Sequence[str],
    specs: Sequence[NgramSpec],
    counts: Sequence[Counts],
    regression: Regression,
    rules: Sequence[str],
) -> LinearModel:
    parts = [
        Counted(spec, part.grams, weighing.scale)
        for spec, part, weighing in zip(specs, counts, regression.weighings, strict=True)
    ]
    link: Link = "sigmoid" if len(labels) == 2 else "softmax"
    return assemble(labels, link, parts, regression.coef, regression.intercept, rules)
