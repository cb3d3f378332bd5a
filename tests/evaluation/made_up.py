"""Cascades that answer given probabilities, and reports made with them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from assay.config import ThresholdConfig, parse_task
from assay.datasets import Rows
from assay.estimators import (
    Cascade,
    Judged,
    OperatingPoint,
    Sample,
    ThresholdTable,
    choose_operating_point,
)
from assay.evaluation import Report, evaluate
from assay.progress import Progress

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Table:
    """A model that looks the probabilities of a text up, and counts how many texts it was asked for."""

    def __init__(self, rows: dict[str, Sequence[float]]) -> None:
        self.rows, self.asked = rows, 0

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += len(texts)
        return np.array([self.rows[text] for text in texts])


class Tuned(NamedTuple):
    """A cascade, and what its operating point was chosen from."""

    cascade: Cascade
    tables: tuple[ThresholdTable, ...]
    sample: Sample


class Looked(Cascade):
    """A cascade whose probabilities are looked up, to the last bit."""

    def judge(self, texts: Sequence[str]) -> Judged:
        rows = self.model.predict_proba(texts) if texts else np.zeros((0, len(self.labels)))
        given = self.operating_point.labels_of(rows, self.labels, self.task.positive)
        return Judged(given, rows, np.full(len(texts), -1))


def cascade_of(model: Any, labels: Sequence[str], positive: str, threshold: float | None) -> Cascade:
    """Return a real cascade around a model."""
    values = {
        "name": "mail",
        "labels": list(labels),
        "positive": positive,
        "description": "Wanted or not.",
        "data": {"source": "made-up"},
    }
    point = OperatingPoint(threshold=threshold, goal="fixed")
    return Looked(task=parse_task(values, source="a test"), model=model, operating_point=point, version="7")


def report_of(
    truth: Sequence[str],
    scores: Sequence[Sequence[float]],
    labels: Sequence[str] = ("ham", "spam"),
    *,
    positive: str = "spam",
    threshold: float | None = 0.5,
    resamples: int = 50,
    **more: Any,
) -> Report:
    """Return the report of rows with given true labels and probabilities."""
    texts = [f"text {number}" for number in range(len(truth))]
    cascade = cascade_of(Table(dict(zip(texts, scores, strict=True))), labels, positive, threshold)
    facts: dict[str, Any] = {"name": "made-up", "fingerprint": "f" * 64}
    return evaluate(
        cascade,
        Rows(texts=texts, labels=list(truth)),
        **{
            "dataset": facts,
            "resamples": resamples,
            "progress": Progress(quiet=True),
            "clock": lambda: MOMENT,
        }
        | more,
    )


def random_report(
    rows: int, labels: Sequence[str], *, seed: int = 0, bootstrap: int = 0, **more: Any
) -> Report:
    """Return the report of a fair model on random rows."""
    sample = random_sample(rows, len(labels), seed=seed)
    threshold = 0.5 if len(labels) == 2 else None
    return report_of(
        [labels[number] for number in sample.truth],
        sample.probabilities.tolist(),
        labels,
        positive=labels[-1],
        threshold=threshold,
        seed=bootstrap,
        **more,
    )


def random_sample(rows: int, labels: int, *, seed: int = 0) -> Sample:
    """Return the decisions of a fair model, none of them by a rule."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, rows)
    scores = rng.dirichlet(np.ones(labels), rows) + 0.6 * np.eye(labels)[truth]
    return Sample(truth, scores / scores.sum(axis=1, keepdims=True), np.full(rows, -1))


def tables_for(goal: str, sample: Sample, labels: Sequence[str]) -> tuple[ThresholdTable, ...]:
    """Return the tables of an operating point that is chosen for a goal; the last label is positive."""
    return choose_operating_point(ThresholdConfig(goal=goal), labels, labels[-1], sample)[1]


def tuned(cascade: Cascade, goal: str, texts: Sequence[str], labels: Sequence[str]) -> Tuned:
    """Return a cascade whose operating point is chosen for a goal on labelled texts, and the tables."""
    config, numbers = ThresholdConfig(goal=goal, review=(0.2, 1.0)), cascade.labels.index
    judged, truth = cascade.judge(texts), np.array([numbers(label) for label in labels])
    ruled = np.where(judged.rules < 0, -1, judged.probabilities.argmax(axis=1))
    sample = Sample(truth, judged.probabilities, ruled)
    point, tables = choose_operating_point(config, cascade.labels, cascade.task.positive, sample)
    task = cascade.task.model_copy(update={"threshold": config})
    return Tuned(replace(cascade, task=task, operating_point=point), tables, sample)
