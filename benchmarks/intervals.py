"""Intervals of counted shares and of means."""

import math
from collections.abc import Sequence
from statistics import mean, median, stdev
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


def over_rounds(values: Sequence[float]) -> dict[str, Any]:
    """Return the median of the rounds of a measurement, the lowest and the highest; raises without any."""
    return {"median": median(values), "low": min(values), "high": max(values), "rounds": len(values)}


def ratio_over_rounds(values: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """Return how many times ``base`` the values are, each divided by the one of its own round.

    What slows a round down slows both, so that ratios differ less from round to round than the values do.
    """
    return over_rounds([value / of for value, of in zip(values, base, strict=True)])
