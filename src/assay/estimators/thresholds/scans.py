"""One label's threshold moved over all places where it makes a difference."""

from typing import NamedTuple, Self

import numpy as np

from assay.estimators.linear import Floats
from assay.estimators.thresholds.goals import Curve, f1_of
from assay.estimators.thresholds.operating_point import Numbers
from assay.estimators.thresholds.samples import Sample

SAME = 1e-12
"""Scores that lie no farther apart are one: a threshold between them would hang on rounding."""


class Scan(NamedTuple):
    """The candidate thresholds of one label, the highest first: midpoints between neighbouring scores.

    Rows are told apart by what matters alone, so that equal ones are counted together as a unit: their
    group of equal scores, the highest first (rows that a rule decided for the label stand before all
    candidates, those decided for another behind), the label given below the threshold, and the truth.
    """

    label: int
    labels: int
    macro: bool
    tops: Floats
    """The highest score of each group; the first group holds 1, the last 0."""
    bottoms: Floats
    groups: Numbers
    """Each unit's group, rising; shape (units,)."""
    below: Numbers
    truth: Numbers
    counts: Numbers
    """How many rows each unit has."""

    @classmethod
    def of(cls, sample: Sample, label: int, weights: Floats, *, macro: bool = False) -> Self:
        """Return the scan of a label's margins, the other labels' weights as given.

        With ``macro`` the other labels' F1 are part of its curves.
        """
        labels = len(weights)
        margins, runners_up = margins_of(sample.probabilities, label, weights)
        free = sample.ruled < 0
        ranks, tops, bottoms = _group(margins[free])
        groups = np.where(sample.ruled == label, 0, len(tops) - 1)
        groups[free] = ranks
        below = np.where(free, runners_up, sample.ruled) if macro else np.zeros_like(groups)
        keys, counts = np.unique((groups * labels + below) * labels + sample.truth, return_counts=True)
        groups, kinds = np.divmod(keys, labels * labels)
        below, truth = np.divmod(kinds, labels)
        return cls(label, labels, macro, tops, bottoms, groups, below, truth, counts)

    @property
    def thresholds(self) -> Floats:
        """The candidates, the highest first."""
        middles: Floats = (self.bottoms[:-1] + self.tops[1:]) / 2
        return middles

    def curve(self, counts: Numbers) -> Curve:
        """Return what the candidates give when each unit has so many rows, shape (resamples, units)."""
        ends = self.groups.searchsorted(np.arange(len(self.tops) - 1), side="right")
        right = counts * (self.truth == self.label)
        return Curve(
            hits=_running(right)[:, ends],
            alerts=_running(counts)[:, ends],
            positives=right.sum(axis=1, keepdims=True),
            rows=int(self.counts.sum()),
            others=self._others(counts)[:, ends] if self.macro else 0.0,
        )

    def between(self, drawn: Numbers, candidate: int) -> float:
        """Return the midpoint that a candidate becomes among the units that were drawn, shape (units,)."""
        groups = self.groups[drawn > 0]
        at = int(groups.searchsorted(candidate, side="right"))
        above = groups[at - 1] if at else 0
        below = groups[at] if at < len(groups) else len(self.tops) - 1
        return float(self.bottoms[above] + self.tops[below]) / 2

    def _others(self, counts: Numbers) -> Floats:
        """Return the sum of the other labels' F1 after each unit has gone over to the label."""
        total = np.zeros((len(counts), len(self.groups) + 1))
        for label in range(self.labels):
            if label == self.label:
                continue
            # Only the units that it loses change its F1.
            lost = np.flatnonzero(self.below == label)
            given = _remaining(counts[:, lost])
            hits = _remaining(counts[:, lost] * (self.truth[lost] == label))
            held = counts[:, self.truth == label].sum(axis=1, keepdims=True)
            f1 = f1_of(hits, given + held)
            total[:, 0] += f1[:, 0]
            total[:, lost + 1] = np.diff(f1, axis=1)
        return total.cumsum(axis=1)


def margins_of(probabilities: Floats, label: int, weights: Floats) -> tuple[Floats, Numbers]:
    """Return each row's margin for a label, and the label that it gets when it does not get this one.

    A label is given from its threshold on of p / (p + r), with p its probability and r the highest of the
    others', each divided by its weight over their mean weight. With two labels the margin is p itself.
    """
    own = probabilities[:, label]
    others = np.delete(np.arange(len(weights)), label)
    if len(others) == 1:
        return own, np.full(len(own), others[0])
    rivals = probabilities[:, others] / (weights[others] / weights[others].mean())
    strongest = rivals.argmax(axis=1)
    total = own + rivals.max(axis=1)
    return np.divide(own, total, out=np.zeros_like(own), where=total > 0), others[strongest]


def _group(scores: Floats) -> tuple[Numbers, Floats, Floats]:
    """Return each score's group of equal ones, the highest first, with every group's ends.

    0 and 1 are groups even where no score is: candidates lie strictly between them.
    """
    ends = np.append(scores, [0.0, 1.0])
    order = np.argsort(-ends)
    ranked = ends[order]
    starts = np.append(True, ranked[:-1] - ranked[1:] > SAME)
    groups = np.empty(len(ends), dtype=np.int64)
    groups[order] = starts.cumsum() - 1
    return groups[:-2], ranked[starts], ranked[np.append(starts[1:], True)]


def _running(counts: Numbers) -> Numbers:
    """Return the sums up to before each unit and after the last, shape (resamples, units + 1)."""
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    counts.cumsum(axis=1, out=sums[:, 1:])
    return sums


def _remaining(counts: Numbers) -> Numbers:
    """Return the sums from each unit on and after the last, shape (resamples, units + 1)."""
    sums = _running(counts)
    return sums[:, -1:] - sums
