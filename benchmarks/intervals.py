"""Intervals of counted shares and of means."""

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from scipy.stats import t

from assay.estimators import share_bounds

CONFIDENCE = 0.95


def share(hits: int, trials: int) -> dict[str, Any]:
    """Return a counted share with its exact interval, as results hold it."""
    low, high = share_bounds(hits, trials, confidence=CONFIDENCE)
    return {"hits": hits, "of": trials, "share": hits / trials, "low": low, "high": high}


def mean_over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean of two or more values and its 95 % interval by Student's t (Biometrika, 1908).

    It tells how far another set of seeds might lead; splits that share rows make it too narrow.
    """
    middle, seeds = mean(values), len(values)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, seeds - 1)) * stdev(values) / math.sqrt(seeds)
    return {"values": list(values), "mean": middle, "low": middle - reach, "high": middle + reach}
