"""Thresholds of more than two labels, chosen together for the mean of their F1."""

import numpy as np

from assay.config import Goal
from assay.estimators.linear import Floats
from assay.estimators.thresholds.goals import f1_of, pick
from assay.estimators.thresholds.operating_point import largest_multiples, moved_weights
from assay.estimators.thresholds.samples import Sample
from assay.estimators.thresholds.scans import Scan

MAX_ROUNDS = 20
"""How often every label's threshold is looked at again; the search ends earlier when none moves."""


def balance(sample: Sample, labels: int) -> Floats:
    """Return thresholds, shape (labels,) and of sum 1, of which moving any one alone gains nothing.

    Coordinate ascent on the mean F1 over the labels, from equal thresholds: never worse than those on
    the sample, though not always the best of all.
    """
    goal, weights = Goal(kind="max f1"), np.ones(labels)
    best = mean_f1(sample, weights)
    for _ in range(MAX_ROUNDS):
        before = best
        for label in range(labels):
            scan = Scan.of(sample, label, weights, macro=True)
            candidate = pick(goal, scan.curve(scan.counts[None]))[0]
            moved = moved_weights(weights, label, scan.thresholds[candidate])
            value = mean_f1(sample, moved)
            if value > best:
                weights, best = moved, value
        if best == before:
            break
    balanced: Floats = weights / weights.sum()
    return balanced


def mean_f1(sample: Sample, weights: Floats) -> float:
    """Return the mean F1 over the labels of the whole cascade, at thresholds up to a common factor."""
    labels = len(weights)
    given = np.where(sample.ruled < 0, largest_multiples(sample.probabilities, weights), sample.ruled)
    cells = np.bincount(sample.truth * labels + given, minlength=labels**2).reshape(labels, labels)
    return float(f1_of(np.diagonal(cells), cells.sum(axis=0) + cells.sum(axis=1)).mean())
