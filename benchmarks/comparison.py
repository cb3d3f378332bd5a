"""Two ways of deciding the same rows: how good each is, how far they differ, and how sure that is.

A text that was on the test side of several splits has several rows, so that texts and not rows are
drawn again: the rows of one text stay together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

RESAMPLES = 2000
TAILS = (2.5, 97.5)


def f1_with_interval(truth: Flags, given: Flags, texts: Sequence[str]) -> dict[str, float]:
    """Return the F1 of the label that the flags tell, with the 95 % bootstrap interval over texts."""
    counts = sums_by_text(counted(truth, given), texts)
    low, high = np.percentile(f1(drawn(len(counts)) @ counts), TAILS)
    return {"value": float(f1(counts.sum(axis=0))), "low": float(low), "high": float(high)}


def difference(truth: Flags, first: Flags, second: Flags, texts: Sequence[str]) -> dict[str, Any]:
    """Return the first less the second: in F1 and in errors, each with its paired interval over texts.

    ``mcnemar`` tells the texts on which only one is right, and the exact p of that division.
    """
    counts = [sums_by_text(counted(truth, given), texts) for given in (first, second)]
    weights = drawn(len(counts[0]))
    draws = [weights @ each for each in counts]
    totals = [each.sum(axis=0) for each in counts]
    return {
        "f1": _change(f1(totals[0]) - f1(totals[1]), f1(draws[0]) - f1(draws[1])),
        "errors": _change(errors(totals[0]) - errors(totals[1]), errors(draws[0]) - errors(draws[1])),
        "mcnemar": mcnemar(errors(counts[0]) - errors(counts[1])),
    }


def counted(truth: Flags, given: Flags) -> Floats:
    """Return for each row whether it is a hit, a false alarm, a miss; shape (rows, 3)."""
    return np.stack([truth & given, ~truth & given, truth & ~given], axis=1).astype(np.float64)


def sums_by_text(counts: Floats, texts: Sequence[str]) -> Floats:
    """Return the sums of the rows of each text, shape (texts, columns)."""
    _, places = np.unique(np.array(texts, dtype=object), return_inverse=True)
    sums = np.zeros((int(places.max()) + 1, counts.shape[1]))
    np.add.at(sums, places, counts)
    return sums


def drawn(texts: int, *, seed: int = 0) -> Floats:
    """Return how often each text was drawn in each resample, shape (resamples, texts)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(texts, np.full(texts, 1 / texts), size=RESAMPLES).astype(np.float64)


def f1(counts: Floats) -> Floats:
    """Return F1 from hits, false alarms and misses on the last axis; 0 where there is none of them."""
    hits = counts[..., 0]
    return np.asarray(2 * hits / np.maximum(2 * hits + errors(counts), 1))


def errors(counts: Floats) -> Floats:
    """Return false alarms and misses together."""
    return np.asarray(counts[..., 1] + counts[..., 2])


def mcnemar(more_errors: Floats) -> dict[str, Any]:
    """Return McNemar's exact test (Psychometrika, 1947) over texts.

    ``more_errors`` holds for each text how many more of its rows the first way has wrong. A text
    counts once, however often it was on a test side.
    """
    better, worse = int((more_errors < 0).sum()), int((more_errors > 0).sum())
    p = binomtest(better, better + worse).pvalue if better + worse else 1.0
    return {"only_first_right": better, "only_second_right": worse, "p": float(p)}


def _change(value: Floats, draws: Floats) -> dict[str, float]:
    low, high = np.percentile(draws, TAILS)
    return {"value": float(value), "low": float(low), "high": float(high)}
