"""Samples of held-out rows, and what is true of them, counted row by row with whole numbers."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from assay.config import Goal, ThresholdConfig
from assay.estimators import OperatingPoint
from assay.estimators.thresholds import Sample, ThresholdRow, ThresholdTable, choose_operating_point

LABELS = ("ham", "spam", "film", "news")
HAM_OR_SPAM = LABELS[:2]
SPAM = 1


class Cells(NamedTuple):
    """One label against the rest."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def f1(self) -> Fraction:
        return Fraction(2 * self.tp, max(1, 2 * self.tp + self.fp + self.fn))


def sample_of(truth: Sequence[int], parts: Sequence[Sequence[int]], ruled: Sequence[int] = ()) -> Sample:
    """Return a sample whose probabilities are whole numbers over their sum."""
    whole = np.array(parts, dtype=np.float64)
    probabilities = whole / whole.sum(axis=1, keepdims=True)
    return Sample(np.array(truth), probabilities, np.array(ruled or [-1] * len(truth)))


def binary(scores: Sequence[float], truth: Sequence[int], ruled: Sequence[int] = ()) -> Sample:
    """Return a sample of two labels by the second label's probability."""
    column = np.array(scores, dtype=np.float64)
    return Sample(
        np.array(truth), np.column_stack([1 - column, column]), np.array(ruled or [-1] * len(truth))
    )


@st.composite
def samples(draw: st.DrawFn, labels: int, most: int = 24) -> Sample:
    """Samples with ties, zeros and ones, every label present, and rows that rules decide."""
    rows = draw(st.integers(labels + 1, most))
    part = st.integers(0, draw(st.sampled_from([2, 10, 1000])))
    row = st.lists(part, min_size=labels, max_size=labels).filter(any)
    parts = draw(st.lists(row, min_size=rows, max_size=rows))
    numbers = st.integers(0, labels - 1)
    truth = [*range(labels), *draw(st.lists(numbers, min_size=rows - labels, max_size=rows - labels))]
    decided = st.integers(-1 if draw(st.booleans()) else -8, labels - 1).map(lambda number: max(number, -1))
    ruled = draw(st.lists(decided, min_size=rows, max_size=rows))
    if not draw(st.booleans()):
        ruled = [-1] * rows
    return sample_of(truth, parts, ruled)


def margins(sample: Sample, label: int) -> list[Fraction]:
    """Return each row's margin against equal others, exact but for the division of its parts by their sum."""
    found: list[Fraction] = []
    for row in sample.probabilities.tolist():
        own, rival = Fraction(row[label]), max(Fraction(p) for at, p in enumerate(row) if at != label)
        found.append(own / (own + rival) if len(row) > 2 else own)
    return found


def all_cells(sample: Sample, label: int) -> dict[float, Cells]:
    """Return what every threshold that makes a difference gives, by the threshold."""
    scores = margins(sample, label)
    places = sorted({*scores, Fraction(0), Fraction(1)})
    # Divisions by a sum can move equal margins apart by a rounding.
    thresholds = [(a + b) / 2 for a, b in pairwise(places) if b - a > Fraction(1, 10**9)]
    return {
        float(threshold): cells_of(sample, label, [label if score >= threshold else -1 for score in scores])
        for threshold in thresholds
    }


def cells_of(sample: Sample, label: int, given: Sequence[int]) -> Cells:
    """Return a label's cells when the model gives these labels to the rows that no rule decided."""
    counts = {(False, False): 0, (False, True): 0, (True, False): 0, (True, True): 0}
    for truth, model, rule in zip(sample.truth.tolist(), given, sample.ruled.tolist(), strict=True):
        counts[truth == label, (model if rule < 0 else rule) == label] += 1
    return Cells(counts[True, True], counts[False, True], counts[True, False], counts[False, False])


def cells_at(sample: Sample, point: OperatingPoint, label: int) -> Cells:
    """Return a label's cells by the labels that an operating point gives."""
    labels = LABELS[: sample.probabilities.shape[1]]
    given = [labels.index(name) for name in point.labels_of(sample.probabilities, labels, "spam")]
    return cells_of(sample, label, given)


def mean_f1(sample: Sample, point: OperatingPoint) -> Fraction:
    """Return the mean F1 over the labels by the labels that an operating point gives."""
    labels = sample.probabilities.shape[1]
    return sum((cells_at(sample, point, label).f1 for label in range(labels)), Fraction(0)) / labels


def worth(goal: Goal, cells: Cells) -> tuple[Fraction, ...] | None:
    """Return what a goal wants most of, the largest first; None where the goal is not reached."""
    tp, fp, fn, _ = cells
    alerts, rows = tp + fp, sum(cells)
    if goal.kind == "max f1":
        return (cells.f1, Fraction(-alerts))
    if goal.kind == "cost":
        return (-Fraction(goal.miss) * fn - Fraction(goal.false_alarm) * fp, Fraction(-alerts))
    if not tp:
        return None
    precision, recall = Fraction(tp, alerts), Fraction(tp, tp + fn)
    if goal.kind == "precision":
        return (recall, precision) if float(precision) >= goal.value else None
    if goal.kind == "recall":
        return (precision, recall) if float(recall) >= goal.value else None
    return (recall, precision) if alerts * goal.per_day <= goal.alerts * rows else None


def resamples(sample: Sample, seed: int, times: int) -> Iterator[list[int]]:
    """Yield row numbers drawn with replacement."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        yield rng.integers(0, len(sample.truth), len(sample.truth)).tolist()


goals = st.one_of(
    st.just("max f1"),
    st.integers(1, 20).map(lambda part: f"precision >= {part / 20}"),
    st.integers(1, 20).map(lambda part: f"recall >= {part / 20}"),
    st.tuples(st.sampled_from([1, 5, 0.5]), st.sampled_from([1, 3])).map(
        lambda costs: f"cost miss={costs[0]} false_alarm={costs[1]}"
    ),
    st.tuples(st.integers(1, 10), st.integers(10, 20)).map(
        lambda share: "alerts <= {} of {} a day".format(*share)
    ),
)
CAUGHT = binary([0.1, 0.3, 0.4, 0.6, 0.8, 0.9], [0, 0, 1, 0, 1, 1])
"""Six rows: one ham above one spam."""


def config(goal: str, **values: object) -> ThresholdConfig:
    return ThresholdConfig.model_validate({"goal": goal} | values)


def chosen(
    goal: str, sample: Sample, labels: int = 2, positive: str = "spam"
) -> tuple[OperatingPoint, ThresholdTable]:
    point, [table] = choose_operating_point(config(goal), LABELS[:labels], positive, sample)
    return point, table


def flat(row: ThresholdRow) -> tuple[int, ...]:
    return (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)
