"""Cascade + held-out rows -> Report."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.evaluation.bootstrap import CONFIDENCE
from assay.evaluation.curves import curve_of, histogram_of
from assay.evaluation.measure import Measured, Outcome, measure
from assay.evaluation.metrics import Counts, Floats
from assay.evaluation.report import DataFacts, Report, TrainingFacts
from assay.exceptions import ArtifactError, DataError
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade

RESAMPLES = 1000


def _now() -> datetime:
    return datetime.now(UTC)


def evaluate(
    cascade: "Cascade",
    rows: "Rows",
    *,
    dataset: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress,
    clock: Callable[[], datetime] = _now,
) -> Report:
    """Return what the cascade's served decisions are worth on rows that it was not trained on.

    Parameters
    ----------
    cascade : decides at its served threshold; asked for the probabilities of each text once
    rows : the held-out texts and labels, in any order
    dataset : the fields of ``DataFacts``
    training : the fields of ``TrainingFacts``; hyperparameters are those of the task when left out
    resamples, seed : of the bootstrap; the same seed gives the same intervals
    clock : says when the report was made

    Raises DataError for a label that the cascade does not know, ArtifactError for a model whose
    probabilities are none.
    """
    facts = DataFacts.model_validate(dataset)
    with progress.step(f"score {len(rows):,} held-out rows"):
        outcome = _outcome(cascade, rows)
    with progress.bar("draw resamples", resamples) as bar:
        measured = measure(outcome, resamples=resamples, seed=seed, bar=bar)
    return Report(
        **_identity(cascade),
        **_findings(outcome, measured),
        rows_fingerprint=rows.fingerprint,
        dataset=facts,
        training=_training(cascade, training or {}),
        confidence=CONFIDENCE,
        resamples=resamples,
        seed=seed,
        created_at=clock(),
    )


def _identity(cascade: "Cascade") -> dict[str, Any]:
    return {
        "task": cascade.task.name,
        "description": cascade.task.description,
        "model": cascade.task.model,
        "version": cascade.version,
        "digest": cascade.digest,
        "labels": cascade.labels,
        "positive": cascade.task.positive,
        "threshold": cascade.operating_point.threshold,
    }


def _findings(outcome: Outcome, measured: Measured) -> dict[str, Any]:
    return {
        "rows": len(outcome.truth),
        "metrics": measured.metrics,
        "per_class": measured.per_class,
        "confusion": tuple(map(tuple, outcome.cells.tolist())),
        "curves": {label: curve_of(outcome.ranking(label)) for label in outcome.curved_labels()},
        "scores": histogram_of(outcome),
    }


def _training(cascade: "Cascade", given: Mapping[str, Any]) -> TrainingFacts:
    hyperparameters = cascade.task.estimator.model_dump(mode="json")
    return TrainingFacts.model_validate({"hyperparameters": hyperparameters} | dict(given))


def _outcome(cascade: "Cascade", rows: "Rows") -> Outcome:
    labels = cascade.labels
    truth = _numbers(rows.labels, labels)
    scores = _probabilities(cascade, rows.texts, len(labels))
    decided = _numbers(cascade.labels_of(scores) if len(rows) else [], labels)
    return Outcome.of(labels, cascade.task.positive, truth, decided, scores)


def _probabilities(cascade: "Cascade", texts: Sequence[str], labels: int) -> Floats:
    if not texts:
        return np.zeros((0, labels))
    scores = np.asarray(cascade.predict_proba(texts), dtype=np.float64)
    if scores.shape != (len(texts), labels) or not np.isfinite(scores).all():
        raise ArtifactError(
            f"The model {cascade.task.model!r} gave probabilities of shape {scores.shape} for "
            f"{len(texts)} texts and {labels} labels, or some that are no finite numbers. Train it again."
        )
    return scores


def _numbers(given: Sequence[str], labels: tuple[str, ...]) -> Counts:
    number = {label: index for index, label in enumerate(labels)}
    unknown = sorted(set(given) - set(number))
    if unknown:
        raise DataError(
            f"The rows hold labels that the model does not know: {unknown[:5]!r}; it knows {list(labels)!r}. "
            "Rename them in the task's data.rename, or evaluate on rows of this task.",
            unknown=unknown,
        )
    return np.fromiter((number[label] for label in given), dtype=np.int64, count=len(given))
