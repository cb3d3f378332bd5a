"""How each goal picks from what the candidate thresholds would give."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.config import Goal
from assay.estimators.linear import Floats
from assay.estimators.thresholds.operating_point import Numbers

Judged = tuple[Floats, NDArray[np.bool_]]


class Curve(NamedTuple):
    """What each candidate threshold of a label, the highest first, would give.

    Arrays of shape (..., candidates); leading axes are resamples. Counts never fall along the candidates.
    """

    hits: Numbers
    """Rows of the label that would be given it."""
    alerts: Numbers
    """Rows that would be given it."""
    positives: Numbers
    """Rows of the label, shape (..., 1)."""
    rows: int
    others: Floats | float = 0.0
    """The sum of the other labels' F1, where the mean over all labels is what counts."""

    @property
    def precision(self) -> Floats:
        """The share of alerts that are right; NaN without alerts."""
        return ratio(self.hits, self.alerts)

    @property
    def recall(self) -> Floats:
        """The share of the label's rows that would be found; NaN without such rows."""
        return ratio(self.hits, self.positives)

    @property
    def f1(self) -> Floats:
        """2 TP / (2 TP + FP + FN), 0 where that is undefined."""
        return f1_of(self.hits, self.alerts + self.positives)


def pick(goal: Goal, curve: Curve) -> Numbers:
    """Return the number of the best candidate, shape (...); -1 where none reaches the goal.

    Of candidates that are equally good the highest is taken, which gives the fewest alerts; of equal
    precision the one that finds the most.
    """
    worth, reached = _GOALS[goal.kind](goal, curve)
    worth = np.where(reached, worth, -np.inf)
    if goal.kind == "recall":
        best = worth.shape[-1] - 1 - worth[..., ::-1].argmax(axis=-1)
    else:
        best = worth.argmax(axis=-1)
    return np.where(reached.any(axis=-1), best, -1)


def nearest(goal: Goal, curve: Curve) -> int | None:
    """Return the candidate of one curve that comes nearest to a goal; None when no candidate finds a row."""
    found = curve.hits > 0
    if not found.any():
        return None
    measured = {"precision": curve.precision, "recall": curve.recall}
    worth = measured.get(goal.kind, -curve.alerts.astype(np.float64))
    # Of equals the last, which finds the most.
    return int(np.flatnonzero(found & (worth == worth[found].max()))[-1])


def ratio(part: Numbers, whole: Numbers) -> Floats:
    """Return part / whole, NaN where there is nothing to divide by."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    shares: Floats = np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)
    return shares


def f1_of(hits: Numbers, given_and_held: Numbers) -> Floats:
    """Return 2 TP / (rows given a label + rows that have it), 0 where there are none of either."""
    return 2 * hits / np.maximum(given_and_held, 1)


def _max_f1(_: Goal, curve: Curve) -> Judged:
    worth = curve.f1 + curve.others
    return worth, np.broadcast_to(curve.positives > 0, worth.shape)


def _precision(goal: Goal, curve: Curve) -> Judged:
    # A comparison with NaN is false: where there is no alert, no precision is reached.
    return curve.hits.astype(np.float64), curve.precision >= goal.value


def _recall(goal: Goal, curve: Curve) -> Judged:
    return curve.precision, curve.recall >= goal.value


def _cost(goal: Goal, curve: Curve) -> Judged:
    missed, false = curve.positives - curve.hits, curve.alerts - curve.hits
    worth = -(goal.miss * missed + goal.false_alarm * false)
    return worth, np.ones(worth.shape, dtype=bool)


def _alerts(goal: Goal, curve: Curve) -> Judged:
    few = curve.alerts * goal.per_day <= goal.alerts * curve.rows
    return curve.hits.astype(np.float64), few & (curve.hits > 0)


_GOALS: dict[str, Callable[[Goal, Curve], Judged]] = {
    "max f1": _max_f1,
    "precision": _precision,
    "recall": _recall,
    "cost": _cost,
    "alerts": _alerts,
}
