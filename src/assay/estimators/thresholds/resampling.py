"""Intervals of a chosen threshold and of its metrics, by the percentile bootstrap.

The method is that of Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.
"""

from collections.abc import Iterator

import numpy as np

from assay.config import Goal
from assay.estimators.linear import Floats
from assay.estimators.shares import draw_bounds
from assay.estimators.thresholds.goals import pick, ratio
from assay.estimators.thresholds.operating_point import Numbers
from assay.estimators.thresholds.scans import Scan
from assay.estimators.thresholds.tables import Estimate, ThresholdRow

RESAMPLES = 1000
SEED = 0
AT_ONCE = 1 << 15
"""Drawn rows held at once (256 KB): a chunk of resamples, with what is counted of it, stays in the cache."""
METRICS = ("precision", "recall", "f1", "accuracy", "alerts")


def chosen_again(goal: Goal, scan: Scan) -> Floats:
    """Return the threshold that each resample would choose, shape (resamples,); NaN where none reaches."""
    chosen = []
    for counts in _draw(scan.counts, np.random.default_rng(SEED)):
        candidates = pick(goal, scan.curve(counts)).tolist()
        chosen += [
            scan.between(drawn, candidate) if candidate >= 0 else np.nan
            for drawn, candidate in zip(counts, candidates, strict=True)
        ]
    return np.array(chosen)


def estimates_of(row: ThresholdRow) -> dict[str, Estimate]:
    """Return a row's metrics with their intervals; one that is undefined is left out.

    The cells of a resample follow a multinomial law, so that no row has to be drawn.
    """
    cells = (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)
    shares = np.array(cells) / row.rows
    tp, fp, fn, tn = np.random.default_rng(SEED).multinomial(row.rows, shares, size=RESAMPLES).T
    drawn = {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "accuracy": (tp + tn) / row.rows,
        "alerts": (tp + fp) / row.rows,
    }
    estimates = {}
    for name, draws in drawn.items():
        value, ends = getattr(row, name), draw_bounds(draws)
        if value is not None and ends is not None:
            estimates[name] = (value, *ends)
    return estimates


def _draw(counts: Numbers, rng: np.random.Generator) -> Iterator[Numbers]:
    """Yield how often rows of each unit were drawn, in chunks of shape (some resamples, units)."""
    units, rows = len(counts), int(counts.sum())
    unit_of_row = np.repeat(np.arange(units), counts)
    size = max(1, AT_ONCE // rows)
    for start in range(0, RESAMPLES, size):
        chunk = min(size, RESAMPLES - start)
        drawn = unit_of_row[rng.integers(0, rows, size=(chunk, rows))]
        drawn += np.arange(chunk)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=chunk * units).reshape(chunk, units)
