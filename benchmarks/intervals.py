"""Intervals of counted shares and of means."""

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from scipy.stats import beta, t

CONFIDENCE = 0.95


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Clopper and Pearson (Biometrika, 1934)."""
    if not 0 <= hits <= trials or not trials:
        raise ValueError(
            f"hits must lie between 0 and the trials, of which there are some; got {hits} of {trials}"
        )
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def share(hits: int, trials: int) -> dict[str, Any]:
    """Return a counted share with its interval, as results hold it."""
    low, high = exact_interval(hits, trials)
    return {"hits": hits, "of": trials, "share": hits / trials, "low": low, "high": high}


def mean_over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean of two or more values and its 95 % interval by Student's t (Biometrika, 1908).

    It tells how far another set of seeds might lead; splits that share rows make it too narrow.
    """
    middle, seeds = mean(values), len(values)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, seeds - 1)) * stdev(values) / math.sqrt(seeds)
    return {"values": list(values), "mean": middle, "low": middle - reach, "high": middle + reach}
