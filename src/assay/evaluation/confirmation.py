"""The operating point confirmed: the goal's figure where it was chosen, and on held-out rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from assay.config import Goal
from assay.evaluation import metrics
from assay.evaluation.bootstrap import interval_of, resample_cells
from assay.evaluation.intervals import NO_ROWS, Interval
from assay.evaluation.metrics import Counts, Floats
from assay.frozen import Frozen

if TYPE_CHECKING:
    from assay.estimators import ThresholdTable
    from assay.evaluation.report import LabelMetrics

Figure = Literal["precision", "recall", "f1", "cost", "alerts"]
TITLES: Mapping[Figure, str] = {
    "precision": "Precision of {!r}",
    "recall": "Recall of {!r}",
    "f1": "F1 of {!r}",
    "cost": "The cost of 1,000 texts, {!r} against the rest,",
    "alerts": "The number of {!r} alerts a day",
}
DIGITS: Mapping[Figure, int] = {"precision": 4, "recall": 4, "f1": 4, "cost": 1, "alerts": 1}


class Confirmation(Frozen):
    """One label's threshold: the goal's figure where it was chosen, and on rows that it never saw."""

    label: str
    figure: Figure
    """What the goal speaks of: F1 for ``max f1`` and ``fixed``."""
    threshold: float
    low: float | None
    high: float | None
    """Bounds of the threshold: it is chosen again in each resample."""
    out_of_fold: Interval
    held_out: Interval
    required: float | None
    """What the figure must reach, or not exceed (alerts); None for a goal that asks for the best there is."""
    confirmed: bool | None
    """Whether the held-out figure does; None without a requirement."""

    def sentence(self, goal: str) -> str:
        """Return what became of the goal, for people."""
        digits, held = DIGITS[self.figure], self.held_out
        bounds = "" if self.low is None or self.high is None else f" ({self.low:.4g} to {self.high:.4g})"
        where = f"the out-of-fold rows, where the threshold {self.threshold:.4g}{bounds} was chosen"
        if goal == "fixed":
            where = f"the out-of-fold rows, both at the threshold {self.threshold:.4g}"
        verdict = {None: "", True: " confirmed.", False: " not confirmed."}[self.confirmed]
        value = held.text(digits) if held.value is not None else f"undefined ({held.reason})"
        title = TITLES[self.figure].format(self.label)
        return (
            f"Goal {goal}:{verdict} {title} is {value} on the held-out rows; "
            f"it was {self.out_of_fold.text(digits)} on {where}.{self._doubt()}"
        )

    def _doubt(self) -> str:
        """Return a warning where the interval reaches to the other side of what is required."""
        if self.required is None or self.held_out.value is None or not self.held_out.holds(self.required):
            return ""
        other = "miss" if self.confirmed else "meet"
        return f" The interval leaves room for other rows to {other} it."


class ChosenPoint(Frozen):
    """The goal that the operating point was chosen for, and whether it holds on the held-out rows."""

    goal: str
    thresholds: dict[str, Confirmation]
    """Label -> its threshold: the positive label alone with two labels."""
    review: tuple[float, float] | None = None
    reviewed: int = Field(0, ge=0)
    """Held-out rows in the review band."""

    def lines(self) -> Iterator[str]:
        """Yield what became of the goal, a sentence a label, and of the review band."""
        yield from (found.sentence(self.goal) for found in self.thresholds.values())
        if self.review is not None:
            low, high = self.review
            yield f"Review band {low:g} to {high:g}: {self.reviewed:,} held-out rows are marked for review."


def confirm(
    goal: Goal,
    tables: "Sequence[ThresholdTable]",
    labels: Sequence[str],
    confusion: Counts,
    measured: "Mapping[str, LabelMetrics]",
    *,
    resamples: int,
    seed: int,
) -> dict[str, Confirmation]:
    """Return for each label with a table how its goal's figure fares on the held-out rows.

    A floor of precision or recall is confirmed when the held-out value reaches it, a limit of alerts when
    the share of held-out rows that are given the label stays within it. The interval beside the value says
    how sure that is; it is no part of the verdict.

    Parameters
    ----------
    goal : parsed, of the task
    tables : what each threshold was chosen from
    labels : the labels, in the order of ``confusion``
    confusion : counts of held-out rows, truth down, decision across
    measured : label -> precision, recall and F1 on the held-out rows
    resamples, seed : of the bootstrap, for the figures that ``measured`` lacks
    """
    found = {}
    for table in tables:
        cells = one_against_rest(confusion, labels.index(table.label))
        rng = np.random.default_rng([seed, 4])
        held_out = _held_out(goal, cells, measured[table.label], resamples, rng)
        found[table.label] = Confirmation(
            label=table.label,
            figure=_figure_of(goal),
            threshold=table.chosen.threshold,
            low=table.low,
            high=table.high,
            out_of_fold=_out_of_fold(goal, table, resamples, rng),
            held_out=held_out,
            required=_required(goal),
            confirmed=_confirmed(goal, cells, held_out),
        )
    return found


def one_against_rest(confusion: Counts, number: int) -> Counts:
    """Return the four cells of one label against the rest, shape (2, 2): the rest first, truth down."""
    hits, held, given = confusion[number, number], confusion[number].sum(), confusion[:, number].sum()
    return np.array([[confusion.sum() - held - given + hits, given - hits], [held - hits, hits]])


def _figure_of(goal: Goal) -> Figure:
    return "f1" if goal.kind == "fixed" or goal.kind == "max f1" else goal.kind


def _required(goal: Goal) -> float | None:
    if goal.kind in ("precision", "recall"):
        return goal.value
    return float(goal.alerts) if goal.kind == "alerts" else None


def _held_out(
    goal: Goal, cells: Counts, measured: "LabelMetrics", resamples: int, rng: np.random.Generator
) -> Interval:
    if goal.kind in ("cost", "alerts"):
        return _bootstrapped(goal, cells, resamples, rng)
    found: Interval = getattr(measured, _figure_of(goal))
    return found


def _out_of_fold(goal: Goal, table: "ThresholdTable", resamples: int, rng: np.random.Generator) -> Interval:
    if goal.kind == "cost":  # the one figure that no table holds
        row = table.chosen
        cells = [[row.true_negatives, row.false_positives], [row.false_negatives, row.true_positives]]
        return _bootstrapped(goal, np.array(cells), resamples, rng)
    figure, scale = _figure_of(goal), goal.per_day if goal.kind == "alerts" else 1
    if figure not in table.metrics:
        return Interval(value=None, reason=f"no out-of-fold row has or was given the label {table.label!r}")
    value, low, high = (scale * number for number in table.metrics[figure])
    return Interval(value=value, low=low, high=high)


def _bootstrapped(goal: Goal, cells: Counts, resamples: int, rng: np.random.Generator) -> Interval:
    value, draws = _price(goal, cells), _price(goal, resample_cells(cells, resamples, rng))
    return interval_of(value, draws, NO_ROWS)


def _price(goal: Goal, cells: Counts) -> Floats:
    """Return alerts a day, or the cost of 1,000 texts, of cells of shape (..., 2, 2)."""
    rows = cells.sum(axis=(-2, -1))
    if goal.kind == "alerts":
        return goal.per_day * metrics.ratio(cells[..., 1].sum(axis=-1), rows)
    cost = goal.miss * cells[..., 1, 0] + goal.false_alarm * cells[..., 0, 1]
    return 1000 * metrics.ratio(cost, rows)


def _confirmed(goal: Goal, cells: Counts, held_out: Interval) -> bool | None:
    if _required(goal) is None:
        return None
    if held_out.value is None:
        return False
    if goal.kind == "alerts":  # in whole numbers: no rounding decides
        return bool(cells[:, 1].sum() * goal.per_day <= goal.alerts * cells.sum())
    return held_out.value >= goal.value
