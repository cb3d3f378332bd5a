"""Intervals: exact ones of counted shares, and those that resamples give."""

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import MissingExtra

CONFIDENCE = 0.95


def share_bounds(hits: int, rows: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of the share ``hits / rows``; from 0 to 1 without rows.

    It is that of Clopper and Pearson (Biometrika, 1934): it covers the truth at least as often as
    ``confidence`` says, also where no row or every row is a hit. Raises ValueError for counts that no rows
    have, MissingExtra without scipy.

    >>> low, high = share_bounds(5, 5)
    >>> round(low, 2), high
    (0.48, 1.0)
    """
    try:
        from scipy.stats import beta
    except ImportError as error:
        raise MissingExtra("Exact intervals", package="scipy", extra="train") from error
    if not 0 <= hits <= rows:
        raise ValueError(f"hits must lie between 0 and the rows; got {hits} of {rows}")
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, rows - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, rows - hits)) if hits < rows else 1.0
    return low, high


def draw_bounds(draws: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return the interval that holds the middle ``confidence`` of the draws, shape (resamples,).

    Resamples in which the metric is undefined are left out; None when it is undefined in all.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return None
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(defined, (tail, 100 - tail))
    return float(low), float(high)
