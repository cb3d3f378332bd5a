"""Choosing an operating point on held-out rows for a goal that a person stated.

All of it is numpy: a choice can be made again wherever an artifact can be read. What scikit-learn offers
(``confusion_matrix_at_thresholds``, ``TunedThresholdClassifierCV``) knows no rows that rules decide.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.config import Goal, ThresholdConfig
from assay.estimators.linear import Floats
from assay.estimators.shares import draw_bounds
from assay.estimators.thresholds.balance import balance
from assay.estimators.thresholds.goals import pick
from assay.estimators.thresholds.operating_point import OperatingPoint
from assay.estimators.thresholds.refusals import refuse_goal, refuse_without_scores
from assay.estimators.thresholds.resampling import RESAMPLES, chosen_again, estimates_of
from assay.estimators.thresholds.samples import Sample, check_sample
from assay.estimators.thresholds.scans import Scan
from assay.estimators.thresholds.tables import ThresholdRow, ThresholdTable

GRID = tuple(hundredth / 100 for hundredth in range(1, 100))


def choose_operating_point(
    config: ThresholdConfig, labels: Sequence[str], positive: str, sample: Sample | None
) -> tuple[OperatingPoint, tuple[ThresholdTable, ...]]:
    """Return the operating point for a goal, and the tables that say what other thresholds would give.

    With two labels, and for any goal but ``max f1``, the goal and the one table speak of the positive
    label. ``max f1`` with more than two labels is the mean F1 over the labels, with a table for each.

    Parameters
    ----------
    sample : held-out rows of the whole cascade; None when there are none, which leaves the goal ``fixed``
        and no table

    Raises GoalError when no threshold reaches the goal, saying the best that can be had, and DataError for
    a sample on which nothing can be chosen.

    >>> probability = np.array([0.1, 0.2, 0.6, 0.7, 0.9])
    >>> truth, ruled = np.array([0, 0, 1, 0, 1]), np.full(5, -1)
    >>> sample = Sample(truth, np.column_stack([1 - probability, probability]), ruled)
    >>> config = ThresholdConfig(goal="recall >= 0.9")
    >>> point, [table] = choose_operating_point(config, ["ham", "spam"], "spam", sample)
    >>> round(point.threshold, 2), table.chosen.recall, round(table.chosen.precision, 2)
    (0.4, 1.0, 0.67)
    """
    goal, binary = config.parsed, len(labels) == 2
    threshold = config.value if binary else None
    point = OperatingPoint(threshold=threshold, goal=config.goal, review=config.review)
    if sample is None:
        if goal.kind != "fixed":
            refuse_without_scores(config.goal)
        return point, ()
    trial = _Trial(config, goal, tuple(labels), positive, sample)
    every = goal.kind == "max f1" and not binary
    named = trial.labels if every else (positive,)
    check_sample(sample, labels, named)
    if every:
        weights = balance(sample, len(labels)).tolist()
        thresholds = dict(zip(labels, weights, strict=True))
        point = OperatingPoint.model_validate(dict(point) | {"thresholds": thresholds})
    elif goal.kind != "fixed":
        point = trial.reach(point)
    return point, tuple(trial.table(point, label) for label in named)


def measure_threshold(
    sample: Sample, point: OperatingPoint, labels: Sequence[str], positive: str, label: str, threshold: float
) -> ThresholdRow:
    """Return what a sample's decisions are for a label when its threshold is moved and the rest stays.

    ``label`` is the positive one with two labels; ``OperatingPoint.moved`` says what a threshold is with
    more.
    """
    moved = point.moved(threshold, label, labels)
    return _confusion(sample, moved, labels, positive, label, threshold)


def _confusion(
    sample: Sample, point: OperatingPoint, labels: Sequence[str], positive: str, label: str, threshold: float
) -> ThresholdRow:
    number = labels.index(label)
    given = sample.decided(point, labels, positive) == number
    return ThresholdRow.of(threshold, sample.truth == number, given)


class _Trial(NamedTuple):
    """What a choice is made from."""

    config: ThresholdConfig
    goal: Goal
    labels: tuple[str, ...]
    positive: str
    sample: Sample

    def reach(self, point: OperatingPoint) -> OperatingPoint:
        """Return the point moved to the positive label's best threshold for the goal; raises GoalError."""
        scan = self._scan(point, self.positive)
        curve = scan.curve(scan.counts[None])
        candidate = int(pick(self.goal, curve)[0])
        if candidate < 0:
            refuse_goal(self.config.goal, self.goal, self.positive, scan, self.sample)
        return point.moved(float(scan.thresholds[candidate]), self.positive, self.labels)

    def table(self, point: OperatingPoint, label: str) -> ThresholdTable:
        """Return what a label's threshold does on the grid, the others' as the point has them."""
        about = (self.labels, self.positive, label)
        chosen = _confusion(self.sample, point, *about, point.threshold_of(label, self.labels))
        again = self._chosen_again(point, label, chosen.threshold)
        low, high = draw_bounds(again) or (None, None)
        return ThresholdTable(
            label=label,
            goal=self.config.goal,
            texts_a_day=self.config.daily,
            rows=tuple(measure_threshold(self.sample, point, *about, t) for t in GRID),
            chosen=chosen,
            low=low,
            high=high,
            resamples=len(again),
            unreached=int(np.isnan(again).sum()),
            metrics=estimates_of(chosen),
        )

    def _chosen_again(self, point: OperatingPoint, label: str, threshold: float) -> Floats:
        if self.goal.kind == "fixed":
            return np.full(RESAMPLES, threshold)
        return chosen_again(self.goal, self._scan(point, label))

    def _scan(self, point: OperatingPoint, label: str) -> Scan:
        macro = self.goal.kind == "max f1" and len(self.labels) > 2
        return Scan.of(self.sample, self.labels.index(label), point.weights(self.labels), macro=macro)
