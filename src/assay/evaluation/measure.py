"""Truth, decisions and probabilities -> every metric of a report with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.evaluation import metrics
from assay.evaluation.bootstrap import interval_of, resample_areas, resample_cells
from assay.evaluation.intervals import NO_ROWS, Interval
from assay.evaluation.metrics import Counts, Floats
from assay.evaluation.ranking import Ranking
from assay.evaluation.report import LabelMetrics, Metric
from assay.progress import Bar


@dataclass(frozen=True)
class Outcome:
    """What was true and what was answered, in an order that depends on nothing but the rows themselves.

    ``truth`` and ``decided`` hold label numbers, shape (rows,); ``scores`` probabilities, (rows, labels);
    ``rules`` the number of the rule that decided, -1 where the model did.
    """

    labels: tuple[str, ...]
    positive: str
    truth: Counts
    decided: Counts
    scores: Floats
    rules: Counts

    @classmethod
    def of(
        cls,
        labels: tuple[str, ...],
        positive: str,
        truth: Counts,
        decided: Counts,
        scores: Floats,
        rules: Counts,
    ) -> "Outcome":
        """Return the outcome with its rows sorted: a seed draws the same in whatever order they came."""
        order = np.lexsort((rules, decided, truth, *scores.T))
        return cls(labels, positive, truth[order], decided[order], scores[order], rules[order])

    @property
    def by_model(self) -> NDArray[np.bool_]:
        """Which rows the model decided, shape (rows,): only these have a score."""
        return self.rules < 0

    @property
    def cells(self) -> Counts:
        """The confusion matrix: truth down, decision across."""
        return metrics.confusion_cells(self.truth, self.decided, len(self.labels))

    def ranking(self, label: str) -> Ranking:
        """Return the rows ranked by the probability of one label."""
        number = self.labels.index(label)
        return Ranking(self.truth == number, self.scores[:, number])

    def curved_labels(self) -> tuple[str, ...]:
        """Return the labels whose curves say something of their own: with two labels the positive one."""
        return self.labels if len(self.labels) > 2 else (self.positive,)


@dataclass(frozen=True)
class Measured:
    """The headline metrics and those of each label."""

    metrics: dict[Metric, Interval]
    per_class: dict[str, LabelMetrics]


@dataclass(frozen=True)
class _Spread:
    """One metric of every label: ``value`` has the shape (labels,), ``draws`` (resamples, labels)."""

    value: Floats
    draws: Floats


def measure(outcome: Outcome, *, resamples: int, seed: int, bar: Bar) -> Measured:
    """Return every metric of an outcome with its interval; ``bar`` counts the resamples."""
    cells = outcome.cells
    drawn = resample_cells(cells, resamples, np.random.default_rng([seed, 0]))
    rankings, rng = [outcome.ranking(label) for label in outcome.labels], np.random.default_rng([seed, 1])
    areas = np.array([ranking.areas() for ranking in rankings])[:, :, 0]
    roc_draws, pr_draws = resample_areas(rankings, len(outcome.truth), resamples, rng, bar)
    spreads = {
        "precision": _Spread(metrics.precision(cells), metrics.precision(drawn)),
        "recall": _Spread(metrics.recall(cells), metrics.recall(drawn)),
        "f1": _Spread(metrics.f1(cells), metrics.f1(drawn)),
        "roc_auc": _Spread(areas[:, 0], roc_draws),
        "pr_auc": _Spread(areas[:, 1], pr_draws),
    }
    per_class = {
        label: _label_metrics(number, label, cells, spreads) for number, label in enumerate(outcome.labels)
    }
    accuracy = interval_of(metrics.accuracy(cells), metrics.accuracy(drawn), NO_ROWS)
    return Measured(_headline(outcome, accuracy, per_class, spreads), per_class)


def _headline(
    outcome: Outcome, accuracy: Interval, per_class: dict[str, LabelMetrics], spreads: dict[str, _Spread]
) -> dict[Metric, Interval]:
    means = {name: _macro(spread) for name, spread in spreads.items()}
    positive = per_class[outcome.positive]
    chosen = means if len(outcome.labels) > 2 else {name: getattr(positive, name) for name in spreads}
    return {
        "accuracy": accuracy,
        "precision": chosen["precision"],
        "recall": chosen["recall"],
        "f1": chosen["f1"],
        "macro_f1": means["f1"],
        "roc_auc": chosen["roc_auc"],
        "pr_auc": chosen["pr_auc"],
    }


def _label_metrics(number: int, label: str, cells: Counts, spreads: dict[str, _Spread]) -> LabelMetrics:
    rows, held, given = int(cells.sum()), int(cells[number].sum()), int(cells[:, number].sum())
    reasons = {name: _reason(name, label, rows, held, given) for name in spreads}
    intervals = {
        name: interval_of(spread.value[number], spread.draws[:, number], reasons[name])
        for name, spread in spreads.items()
    }
    return LabelMetrics(**intervals, support=held)


def _reason(metric: str, label: str, rows: int, held: int, given: int) -> str:
    """Return why a metric of a label would be undefined."""
    if not rows:
        return NO_ROWS
    if metric == "precision" or (metric == "f1" and not held and not given):
        return f"no row was given the label {label!r}" + ("" if held else " and none has it")
    return f"every row has the label {label!r}" if held == rows else f"no row has the label {label!r}"


def _macro(spread: _Spread) -> Interval:
    return interval_of(
        metrics.macro(spread.value), metrics.macro(spread.draws), "it is undefined for every label"
    )
