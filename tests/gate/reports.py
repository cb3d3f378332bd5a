"""Reports of versions whose decisions are given, row by row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay.datasets import Rows
from assay.evaluation import Grouping, Report, evaluate, rowwise
from assay.evaluation.rowwise import pack
from assay.progress import Progress
from tests.evaluation.made_up import MOMENT, Table, cascade_of

LABELS = ("ham", "spam")


def report_on(
    truth: Sequence[int],
    given: Sequence[int],
    labels: Sequence[str] = LABELS,
    *,
    names: Sequence[int] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    **changes: Any,
) -> Report:
    """Return the report of a version that gave each row a label.

    ``names`` tell the rows apart, whatever their place; ``groups`` are values of the rows by column, and
    ``changes`` other fields of the report.
    """
    texts = [f"text {name}" for name in (range(len(truth)) if names is None else names)]
    rows = Rows(texts, [labels[number] for number in truth])
    scores = np.eye(len(labels))[list(given)] * 0.8 + 0.1
    model = Table(dict(zip(texts, (scores / scores.sum(axis=1, keepdims=True)).tolist(), strict=True)))
    report = evaluate(
        cascade_of(model, labels, labels[-1], 0.5 if len(labels) == 2 else None),
        rows,
        dataset={"name": "made-up", "fingerprint": "f" * 64},
        resamples=2,
        progress=Progress(quiet=True),
        clock=lambda: MOMENT,
    )
    held = rowwise(
        np.array(truth, dtype=np.int64),
        np.array(given, dtype=np.int64),
        {name: grouping(values, rows.order) for name, values in (groups or {}).items()},
        order=rows.order,
    )
    return report.model_copy(update={"rowwise": held, **changes})


def grouping(values: Sequence[str], order: Sequence[int], *, comparable: bool = True) -> Grouping:
    """Return values of rows as a report holds them."""
    known = sorted(set(values))
    numbers = np.array([known.index(values[place]) for place in order], dtype=np.int64)
    return Grouping(values=tuple(known), rows=pack(numbers), comparable=comparable)


def given(right: int, missed: int, alarms: int, left: int) -> tuple[list[int], list[int]]:
    """Return truth and decisions of two labels: spam found, spam missed, false alarms, ham left alone."""
    truth = [1] * (right + missed) + [0] * (alarms + left)
    return truth, [1] * right + [0] * missed + [1] * alarms + [0] * left
