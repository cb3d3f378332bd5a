"""Cascades that answer given probabilities, and reports made with them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from assay.config import parse_task
from assay.datasets import Rows
from assay.estimators import Cascade, OperatingPoint
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
    return Cascade(task=parse_task(values, source="a test"), model=model, operating_point=point, version="7")


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
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(labels), rows)
    scores = rng.dirichlet(np.ones(len(labels)), rows) + 0.6 * np.eye(len(labels))[truth]
    scores /= scores.sum(axis=1, keepdims=True)
    threshold = 0.5 if len(labels) == 2 else None
    return report_of(
        [labels[number] for number in truth],
        scores.tolist(),
        labels,
        positive=labels[-1],
        threshold=threshold,
        seed=bootstrap,
        **more,
    )
