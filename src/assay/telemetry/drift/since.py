"""Since when: the moment at which a statistic changed, with the range in which it may lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import MissingExtra

Floats = NDArray[np.float64]
DROP = 7.35
"""How far twice the log-likelihood may fall below its best inside the range of 95 %.

It is ``-2 ln(1 - sqrt(0.95))`` (Hansen 2000, Sample Splitting and Threshold Estimation, Econometrica 68)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change at the beginning of a block.

    ``at`` is the first block after it, ``low`` and ``high`` bound the first blocks that the data allow too,
    ``p`` is the chance of so good a split where nothing changed, corrected for all splits that were tried.
    """

    at: int
    low: int
    high: int
    p: float


def find_change(counts: NDArray[np.integer]) -> Change | None:
    """Return where counts changed most, None where there is nothing to split.

    The split is the one of the largest likelihood ratio of two multinomial laws, one before and one after,
    against one law for all.

    Parameters
    ----------
    counts : int array, shape (blocks, bins); blocks follow one another in time

    Raises MissingExtra without scipy.

    >>> early, late = [[90, 10]] * 3, [[60, 40]] * 5
    >>> change = find_change(np.array(early + late))
    >>> change.at, change.low, change.high, change.p < 1e-9
    (3, 3, 3, True)
    """
    chi2 = _chi2()
    used = counts[:, counts.sum(axis=0) > 0]
    if len(used) < 2 or used.shape[1] < 2:
        return None
    before = np.cumsum(used, axis=0)[:-1].astype(np.float64)
    total = used.sum(axis=0).astype(np.float64)
    ratios = 2 * (_likelihood(before) + _likelihood(total - before) - _likelihood(total[None]))
    best = int(np.argmax(ratios))
    allowed = np.flatnonzero(ratios >= ratios[best] - DROP)
    p = len(ratios) * float(chi2.sf(ratios[best], used.shape[1] - 1))
    return Change(at=best + 1, low=int(allowed[0]) + 1, high=int(allowed[-1]) + 1, p=min(1.0, p))


def _likelihood(counts: Floats) -> Floats:
    """Return the log-likelihood of each row of counts under the law that fits it best."""
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.ones_like(counts), where=(counts > 0) & (rows > 0))
    found: Floats = (counts * np.log(shares)).sum(axis=1)
    return found


def _chi2() -> Any:
    try:
        from scipy.stats import chi2
    except ImportError as error:
        raise MissingExtra("Looking for the beginning of a change", package="scipy", extra="train") from error
    return chi2
