"""Intervals by the percentile bootstrap: the rows are drawn again with replacement.

The method is that of Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.

Metrics of decisions need no rows: the cells of a resample follow a multinomial law. Areas need the
rows' weights, drawn in chunks so that memory stays small.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from assay.estimators import draw_bounds
from assay.evaluation.intervals import Interval
from assay.evaluation.metrics import Counts, Floats
from assay.evaluation.ranking import Ranking
from assay.progress import Bar

CHUNK_WEIGHTS = 1 << 18
"""Row weights held at once (2 MB): a chunk of resamples stays in the processor's cache."""


def resample_cells(cells: Counts, resamples: int, rng: np.random.Generator) -> Counts:
    """Return the cells of sets of rows drawn with replacement; shape (resamples, labels, labels)."""
    rows = cells.sum()
    drawn = np.zeros((resamples, cells.size), dtype=np.int64)
    held = np.flatnonzero(cells)
    if rows:
        drawn[:, held] = rng.multinomial(rows, cells.ravel()[held] / rows, size=resamples)
    return drawn.reshape(resamples, *cells.shape)


def resample_weights(rows: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each row was drawn, in chunks of shape (some resamples, rows)."""
    size = max(1, CHUNK_WEIGHTS // max(rows, 1))
    for start in range(0, resamples, size):
        chunk = min(size, resamples - start)
        drawn = rng.integers(0, rows, size=(chunk, rows))
        drawn += np.arange(chunk)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=chunk * rows).reshape(chunk, rows).astype(np.float64)


def resample_areas(
    rankings: Sequence[Ranking], rows: int, resamples: int, rng: np.random.Generator, bar: Bar
) -> tuple[Floats, Floats]:
    """Return the areas under both curves for each resample and label; each of shape (resamples, labels).

    One resample draws the same rows for every label, so that means over labels have honest intervals.
    """
    roc_auc = np.full((resamples, len(rankings)), np.nan)
    average_precision = roc_auc.copy()
    done = 0
    for weights in resample_weights(rows, resamples, rng) if rows else ():
        part = slice(done, done + len(weights))
        for column, ranking in enumerate(rankings):
            roc_auc[part, column], average_precision[part, column] = ranking.areas(weights)
        done += len(weights)
        bar.advance(len(weights))
    return roc_auc, average_precision


def interval_of(value: Floats | float, draws: Floats, reason: str) -> Interval:
    """Return a figure with the bounds of its draws; ``reason`` says why it is undefined when it is NaN."""
    if np.isnan(value):
        return Interval(value=None, reason=reason)
    low, high = draw_bounds(draws) or (None, None)
    return Interval(value=float(value), low=low, high=high)
