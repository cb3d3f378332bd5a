"""Quantiles from the buckets of a histogram, as Prometheus estimates them."""

import math
from collections.abc import Mapping


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Return the value under which a share of the observations lies; None when there are none.

    Within a bucket, observations are taken to lie evenly; a quantile in the last one, which has no end,
    is given as where that begins (Prometheus, ``histogram_quantile``).

    Parameters
    ----------
    share
        Between 0 and 1.
    buckets
        Upper bound -> observations at or under it; the last bound is infinite.

    >>> quantile(0.5, {1.0: 10, 2.0: 30, math.inf: 30})
    1.25
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if not total:
        return None
    rank, lower, below = share * total, 0.0, 0.0
    for bound in bounds:
        held = buckets[bound] - below
        if buckets[bound] >= rank and held > 0:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / held
        lower, below = (lower if math.isinf(bound) else bound), buckets[bound]
    raise ValueError(f"The counts of the buckets must rise with their bounds; got {dict(buckets)!r}.")
