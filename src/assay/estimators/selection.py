"""How calibration and operating point are chosen: on the training rows, by scores that were held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.config import Task
from assay.estimators.calibration import choose_calibration
from assay.estimators.held_out import HeldOut
from assay.estimators.linear import Link
from assay.estimators.rules import Rules
from assay.estimators.thresholds import OperatingPoint, RuleMeasure, ThresholdTable, choose_operating_point

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """The rows that an operating point was chosen on, the tables behind it, and why it was chosen so."""

    held_out: HeldOut | None
    tables: tuple[ThresholdTable, ...]
    reason: str


def select(task: Task, link: Link, held_out: HeldOut | None) -> tuple[OperatingPoint, Selection]:
    """Return the calibrated operating point for a task's goal, and how it was chosen; rules are not measured.

    The calibration is fitted on the rows that rules leave to the model; the threshold is chosen for the
    whole cascade. Raises GoalError for a goal that no threshold reaches.
    """
    if held_out is None:
        point, tables = choose_operating_point(task.threshold, task.labels, task.positive, None)
        return point, Selection(None, tables, "not calibrated: there are no held-out scores")
    left = held_out.ruled < 0
    calibration, _, reason = choose_calibration(
        task.calibration,
        held_out.logits[left],
        held_out.truth[left],
        link,
        len(task.labels),
        held_out.validation[left],
    )
    sample = held_out.sample(calibration, link)
    point, tables = choose_operating_point(task.threshold, task.labels, task.positive, sample)
    return point.model_copy(update={"calibration": calibration}), Selection(held_out, tables, reason)


def first_rule(hits: NDArray[np.bool_]) -> Counts:
    """Return the number of the first rule that fires on each row of ``hits``, -1 where none does."""
    if not hits.shape[1]:
        return np.full(len(hits), -1, np.int64)
    first: Counts = np.where(hits.any(axis=1), hits.argmax(axis=1), -1)
    return first


def ruled_labels(rules: Rules, labels: Sequence[str], hits: NDArray[np.bool_]) -> Counts:
    """Return the label number that a rule decides on each row of ``hits``, -1 where none does."""
    # "No rule", numbered -1, finds the last entry.
    given = np.array([*(labels.index(rule.label) for rule in rules.deciding), -1], np.int64)
    return given[first_rule(hits[:, : len(rules.deciding)])]


def measure_rules(
    rules: Rules, labels: Sequence[str], hits: NDArray[np.bool_], truth: Counts
) -> dict[str, RuleMeasure]:
    """Return what each deciding rule is worth, wherever it fires, by its id.

    ``hits`` has the shape (rows, active rules); ``truth`` holds label numbers, shape (rows,).
    """
    measures = {}
    for column, rule in enumerate(rules.deciding):
        fired = hits[:, column]
        count, right = int(fired.sum()), int((truth[fired] == labels.index(rule.label)).sum())
        measures[rule.id] = RuleMeasure.of(count, right)
    return measures
