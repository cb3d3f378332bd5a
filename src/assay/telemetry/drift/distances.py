"""How far the counts of a window lie from those of the reference, and whether chance explains it.

Numpy and the standard library only, since the service works them out.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Reference

HALF_A_ROW = 0.5
"""Added to every bin before shares are compared, so that an empty one does not make them infinitely apart
(Jeffreys' prior of a share)."""
SERIES = 1e-17
"""Terms of a series that are smaller than this, relative to the first, change no digit."""

Counts = NDArray[np.int64]


class Distance(NamedTuple):
    """How far a window lies from the reference in one statistic."""

    name: str
    rows: int
    """Decisions of the window that have a value."""
    psi: float
    chance: float
    """The PSI that chance alone makes on average."""
    p: float
    """The smallest of the tests' p-values, each of its own; 1 where nothing can be compared."""
    ks: float | None
    """The largest difference of the two distribution functions at the edges; None for categories."""


def distance_of(reference: Reference, counts: Sequence[int] | Counts) -> Distance:
    """Return how far the counts of a window, shape (bins,), lie from those of the reference."""
    before, after = np.array(reference.counts, np.int64), np.asarray(counts, np.int64)
    rows = int(after.sum())
    if not rows or not before.sum():
        return Distance(reference.name, rows, 0.0, 0.0, 1.0, None)
    ks = max_difference(before, after) if reference.kind == "numbers" else None
    ps = [ratio_test(before, after)]
    if ks is not None:
        ps.append(kolmogorov(ks * math.sqrt(effective(before, after))))
    return Distance(reference.name, rows, psi(before, after), psi_by_chance(before, after), min(ps), ks)


def tests_of(reference: Reference) -> int:
    """Return how many tests a statistic is put to: two for numbers, one for categories."""
    return 2 if reference.kind == "numbers" else 1


def psi(before: Counts, after: Counts) -> float:
    """Return the population stability index of two vectors of counts, shape (bins,) each.

    It is the sum over bins of (q - p) ln(q / p), the symmetric divergence of Jeffreys (1946); by the custom
    of credit scoring under 0.1 is stable and from 0.25 on another population (Siddiqi, 2006).

    >>> round(psi(np.array([500, 500]), np.array([600, 400])), 3)
    0.04
    """
    p, q = _shares(before), _shares(after)
    return float(((q - p) * np.log(q / p)).sum())


def psi_by_chance(before: Counts, after: Counts) -> float:
    """Return the PSI that two samples of one distribution have on average: (bins - 1) (1/n + 1/m).

    PSI divided by (1/n + 1/m) is about a chi-squared of that many degrees of freedom (Yurdakul and Naranjo,
    2020). Bins that are empty in both do not count.
    """
    bins = int(((before + after) > 0).sum())
    return (bins - 1) * (1 / int(before.sum()) + 1 / int(after.sum()))


def ratio_test(before: Counts, after: Counts) -> float:
    """Return the p-value of two samples of counts having one distribution, by the likelihood-ratio (G) test.

    Unlike Pearson's sum of squares it keeps to its p-values far out in the tails also where few rows are
    expected in a bin (Hoeffding, 1965): there alarms are decided. Both samples are finite, and both count.

    >>> round(ratio_test(np.array([500, 500]), np.array([600, 400])), 7)
    6.8e-06
    """
    table = np.array([before, after], np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    ratio = np.where(table > 0, table, expected) / expected
    return chi_squared_tail(2 * float((table * np.log(ratio)).sum()), table.shape[1] - 1)


def max_difference(before: Counts, after: Counts) -> float:
    """Return the largest difference of the two distribution functions at the edges of the bins.

    It is at most the statistic of Kolmogorov and Smirnov over single values, whose p-value is then too large
    and never too small.
    """
    gaps = np.cumsum(before) / before.sum() - np.cumsum(after) / after.sum()
    return float(np.abs(gaps).max())


def effective(before: Counts, after: Counts) -> float:
    """Return the size of one sample that is worth the two: n m / (n + m)."""
    n, m = int(before.sum()), int(after.sum())
    return n * m / (n + m)


def chi_squared_tail(value: float, degrees: int) -> float:
    """Return the probability that a chi-squared of whole degrees of freedom is at least ``value``.

    The finite sums of Abramowitz and Stegun (1964), 26.4.4 and 26.4.5; all terms are positive.
    """
    if degrees < 1 or value <= 0:
        return 1.0
    half = value / 2
    odd = degrees % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    for k in range((degrees - odd) // 2):
        power = k + odd / 2
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)


def kolmogorov(value: float) -> float:
    """Return the probability that the limit of sqrt(n) D is at least ``value`` (Kolmogorov, 1933)."""
    if value <= 0:
        return 1.0
    if value < 1:  # the other series of the same function, which is the quick one here
        base = -(math.pi**2) / (8 * value**2)
        below = sum(math.exp(base * (2 * k - 1) ** 2) for k in range(1, 5))
        return 1 - math.sqrt(2 * math.pi) / value * below
    total, k = 0.0, 1
    while (term := math.exp(-2 * (k * value) ** 2)) > SERIES * total:
        total += term if k % 2 else -term
        k += 1
    return min(1.0, 2 * total)


def _shares(counts: Counts) -> NDArray[np.float64]:
    smooth = counts + HALF_A_ROW
    shares: NDArray[np.float64] = smooth / smooth.sum()
    return shares
