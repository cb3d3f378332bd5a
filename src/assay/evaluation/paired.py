"""Two sets of decisions on the same rows: which is better, and could the difference be chance?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.evaluation import metrics
from assay.evaluation.bootstrap import interval_of
from assay.evaluation.intervals import NO_ROWS, Interval
from assay.evaluation.metrics import Counts, Floats
from assay.frozen import Frozen

RESAMPLES = 1000
CHUNK_COUNTS = 1 << 21
"""Counts of cells held at once (16 MB), so that many labels do not need much memory."""
COMPARED = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
"""What is compared, and what people call it."""


class Difference(Frozen):
    """One metric of both sides, and the second's less the first's with its paired bootstrap interval."""

    first: float | None
    second: float | None
    change: Interval


class PairedComparison(Frozen):
    """Two sets of decisions, row by row: counts of rows by which side is right, and what the metrics differ.

    ``p_value`` is that of McNemar's exact test: how often sides that are equally good would differ as much.
    """

    rows: int
    both_right: int
    first_only: int
    second_only: int
    both_wrong: int
    p_value: float
    accuracy: Difference
    precision: Difference
    recall: Difference
    f1: Difference

    @property
    def differ(self) -> int:
        """Rows on which only one of the two is right."""
        return self.first_only + self.second_only

    def lines(self, first: str, second: str) -> list[str]:
        """Return the comparison for people, a sentence a line, with the names that the two sides go by."""
        if not self.differ:
            return [f"{first} and {second} are right on the same {self.both_right:,} of {self.rows:,} rows."]
        verdict = "chance would seldom do that" if self.p_value < 0.05 else "chance alone may do that"
        return [
            f"Rows on which only one of the two is right: {self.differ:,}; it is {first} on "
            f"{self.first_only:,} and {second} on {self.second_only:,}: {verdict} "
            f"(McNemar's exact test, p = {self.p_value:.2g}).",
            f"From {first} to {second}, F1 changes by {_signed(self.f1.change)} and accuracy by "
            f"{_signed(self.accuracy.change)}, 95 % intervals of the paired difference.",
        ]


@dataclass(frozen=True)
class _Joint:
    """The cells that hold rows: truth and both decisions of each cell, and how many rows it counts."""

    truth: Counts
    first: Counts
    second: Counts
    counts: Counts
    labels: int
    positive: int | None

    def measure(self, counts: Floats) -> Floats:
        """Return what is compared, of both sides; shape (metrics, 2 sides, resamples)."""
        held = counts @ self._members(self.truth)
        rows, found = counts.sum(axis=1), np.empty((len(COMPARED), 2, len(counts)))
        for side, decided in enumerate((self.first, self.second)):
            members = self._members(decided)
            given, hits = counts @ members, counts @ (members * (decided == self.truth)[:, None])
            found[0, side] = metrics.ratio(hits.sum(axis=1), rows)
            wholes = ((hits, given), (hits, held), (2 * hits, held + given))
            for place, (part, whole) in enumerate(wholes, start=1):
                found[place, side] = self._over_labels(metrics.ratio(part, whole))
        return found

    def _members(self, labels: Counts) -> Floats:
        """Return which cells a label number has, shape (cells, labels); as floats, which multiply fast."""
        members: Floats = (labels[:, None] == np.arange(self.labels)).astype(np.float64)
        return members

    def _over_labels(self, values: Floats) -> Floats:
        return metrics.macro(values) if self.positive is None else values[:, self.positive]

    def draws(self, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
        """Yield the counts of resampled rows, in chunks of shape (some resamples, cells)."""
        rows, size = self.counts.sum(), max(1, CHUNK_COUNTS // max(len(self.counts), 1))
        for start in range(0, resamples if rows else 0, size):
            chunk = min(size, resamples - start)
            yield rng.multinomial(rows, self.counts / rows, size=chunk).astype(np.float64)


def compare_decisions(
    truth: Counts,
    first: Counts,
    second: Counts,
    *,
    labels: int,
    positive: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """Return how two sets of decisions on the same rows compare.

    The test is that of McNemar (Psychometrika, 1947) in its exact form: given that one side is right and
    the other wrong, a fair coin says which. The intervals are percentiles of the paired bootstrap (Efron
    and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 16): a resample draws the same
    rows for both sides, so that what they share cancels out.

    Parameters
    ----------
    truth, first, second : arrays of label numbers, shape (rows,), in any order, the same for all three
    labels : how many labels there are
    positive : number of the label whose precision, recall and F1 are compared; None for means over the labels
    resamples, seed : of the bootstrap; the same seed gives the same intervals
    """
    codes, counts = np.unique((truth * labels + first) * labels + second, return_counts=True)
    return _compare(codes, counts, labels, positive, resamples, seed)


def compare_cells(
    cells: Counts, *, positive: int | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> PairedComparison:
    """Return the comparison of ``compare_decisions`` from counts of rows alone.

    Parameters
    ----------
    cells : counts of rows, shape (labels, labels, labels): by truth, first decision and second decision
    positive, resamples, seed : as for ``compare_decisions``
    """
    codes = np.flatnonzero(cells)
    return _compare(codes, cells.ravel()[codes], len(cells), positive, resamples, seed)


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: 1 when no row tells the sides apart."""
    if not first_only + second_only:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(first_only, first_only + second_only).pvalue)


def _compare(
    codes: Counts, counts: Counts, labels: int, positive: int | None, resamples: int, seed: int
) -> PairedComparison:
    pairs, second = np.divmod(codes, labels)
    truth, first = np.divmod(pairs, labels)
    joint = _Joint(truth, first, second, counts, labels, positive)
    value = joint.measure(counts[None].astype(np.float64))[:, :, 0]
    chunks = [joint.measure(drawn) for drawn in joint.draws(resamples, np.random.default_rng(seed))]
    draws = np.concatenate([np.empty((len(COMPARED), 2, 0)), *chunks], axis=2)
    right = (first == truth, second == truth)
    first_only, second_only = (int(counts[one & ~other].sum()) for one, other in (right, right[::-1]))
    return PairedComparison(
        rows=int(counts.sum()),
        both_right=int(counts[right[0] & right[1]].sum()),
        first_only=first_only,
        second_only=second_only,
        both_wrong=int(counts[~right[0] & ~right[1]].sum()),
        p_value=mcnemar(first_only, second_only),
        **{
            metric: _difference(
                value[place],
                draws[place],
                f"{title} is undefined for at least one of the two" if len(codes) else NO_ROWS,
            )
            for place, (metric, title) in enumerate(COMPARED.items())
        },
    )


def _difference(value: Floats, draws: Floats, reason: str) -> Difference:
    first, second = (None if np.isnan(side) else float(side) for side in value)
    return Difference(
        first=first, second=second, change=interval_of(value[1] - value[0], draws[1] - draws[0], reason)
    )


def _signed(change: Interval) -> str:
    if change.value is None or change.low is None or change.high is None:
        return "an undefined amount"
    return f"{change.value:+.4f} ({change.low:+.4f} to {change.high:+.4f})"
