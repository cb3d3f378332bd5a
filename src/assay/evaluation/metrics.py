"""Metrics of decisions, from the cells of a confusion matrix alone.

``cells`` has the shape (..., labels, labels): counts of rows, truth down and decision across. Leading
axes are resamples. A ratio without rows to divide by is NaN here and null in a report, never 0 or 1.
"""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion_cells(truth: Counts, decided: Counts, labels: int) -> Counts:
    """Return how many rows of each true label (down) were given each label (across).

    Parameters
    ----------
    truth, decided : arrays of label numbers, shape (rows,)
    labels : how many labels there are; those that no row holds still have their cells
    """
    return np.bincount(truth * labels + decided, minlength=labels * labels).reshape(labels, labels)


def accuracy(cells: Counts) -> Floats:
    """Return the share of rows that were given their true label; shape (...)."""
    return ratio(_hits(cells).sum(axis=-1), cells.sum(axis=(-2, -1)))


def precision(cells: Counts) -> Floats:
    """Return for each label the share of its decisions that are true; shape (..., labels)."""
    return ratio(_hits(cells), cells.sum(axis=-2))


def recall(cells: Counts) -> Floats:
    """Return for each label the share of its rows that were found; shape (..., labels)."""
    return ratio(_hits(cells), cells.sum(axis=-1))


def f1(cells: Counts) -> Floats:
    """Return for each label the harmonic mean of precision and recall; shape (..., labels).

    Written as 2 TP / (2 TP + FP + FN), which is 0 where a label was never found and undefined only
    where no row holds it and none was given it.
    """
    return ratio(2 * _hits(cells), cells.sum(axis=-2) + cells.sum(axis=-1))


def macro(values: Floats) -> Floats:
    """Return the plain mean over the labels (last axis) for which a metric is defined.

    Sorted before they are summed, so that the order of a task's labels cannot move the last digit.
    """
    defined = (~np.isnan(values)).sum(axis=-1)
    return ratio(np.nansum(np.sort(values, axis=-1), axis=-1), defined)


def ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    """Return ``part / whole``, NaN where there is nothing to divide by."""
    out = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out


def _hits(cells: Counts) -> Counts:
    return np.diagonal(cells, axis1=-2, axis2=-1)
