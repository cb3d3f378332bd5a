"""Cascade + held-out rows -> Report."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from assay.config import BehaviourConfig, MustPass
from assay.estimators import CONFIDENCE
from assay.evaluation.behaviour import check_must_pass, run_behaviour
from assay.evaluation.confirmation import ChosenPoint, confirm
from assay.evaluation.cost import measure_cost
from assay.evaluation.curves import curve_of, histogram_of
from assay.evaluation.decided_by import decided_by
from assay.evaluation.intervals import NO_ROWS
from assay.evaluation.leakage import Mask, leakage_of
from assay.evaluation.measure import Measured, Outcome, measure
from assay.evaluation.metrics import Counts, Floats
from assay.evaluation.model_alone import account_of
from assay.evaluation.reliability import Reliability, reliability_of
from assay.evaluation.report import DataFacts, Report, TrainingFacts
from assay.evaluation.rowwise import rowwise
from assay.evaluation.slices import groups_of, slices_of
from assay.exceptions import ArtifactError, DataError
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade, ThresholdTable

RESAMPLES = 1000


def _now() -> datetime:
    return datetime.now(UTC)


def evaluate(
    cascade: "Cascade",
    rows: "Rows",
    *,
    dataset: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
    thresholds: "Sequence[ThresholdTable]" = (),
    near: Mask | None = None,
    seen: Mask | None = None,
    behaviour: BehaviourConfig | None = None,
    must_pass: Sequence[MustPass] = (),
    folder: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress,
    clock: Callable[[], datetime] = _now,
) -> Report:
    """Return what the cascade's served decisions are worth on rows that it was not trained on.

    Parameters
    ----------
    cascade : decides at its served threshold; judges each text once
    rows : the held-out texts and labels, in any order
    dataset : the fields of ``DataFacts``
    training : the fields of ``TrainingFacts``; hyperparameters are those of the task when left out
    thresholds : the tables that the cascade's operating point was chosen from; the goal is confirmed on the
        rows, or not, where there are any
    near, seen : which rows resemble a training row, and which the model was trained on, shape (rows,)
    behaviour : which changes of texts are tried; none when left out
    must_pass : texts that have to get their label
    folder : the cascade's artifact, whose cost on this machine and whose rules are then measured
    resamples, seed : of the bootstrap; the same seed gives the same intervals
    clock : says when the report was made

    Raises DataError for a label that the cascade does not know, ArtifactError for a model whose
    probabilities are none.
    """
    with progress.step(f"score {len(rows):,} held-out rows"):
        judged = _judge(cascade, rows)
        outcome = Outcome.of(cascade.labels, cascade.task.positive, *judged)
    with progress.bar("draw resamples", resamples) as bar:
        measured = measure(outcome, resamples=resamples, seed=seed, bar=bar)
    with progress.step("measure slices" + (", behaviour and cost" if folder else "")):
        parts = {
            **_by_rows(cascade, rows, judged, near=near, seen=seen, resamples=resamples, seed=seed),
            **_tried(cascade, rows, behaviour, must_pass, folder),
        }
    return Report(
        **_identity(cascade),
        **_findings(outcome, measured),
        **_deciding(cascade, outcome, measured, thresholds, resamples=resamples, seed=seed),
        **parts,
        rows_fingerprint=rows.fingerprint,
        dataset=DataFacts.model_validate(dataset),
        training=_training(cascade, training or {}),
        confidence=CONFIDENCE,
        resamples=resamples,
        seed=seed,
        created_at=clock(),
    )


def _by_rows(
    cascade: "Cascade",
    rows: "Rows",
    judged: "_Judged",
    *,
    near: Mask | None,
    seen: Mask | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Return what there is to say of parts of the rows, and the rows."""
    groups = groups_of(rows, near=near, ruled=judged.rules >= 0)
    kept = rowwise(judged.truth, judged.decided, groups, order=rows.order)
    size = len(cascade.labels)
    # With more than two labels F1 is the mean over the labels.
    positive = cascade.labels.index(cascade.task.positive) if cascade.task.binary else None
    return {
        "rowwise": kept,
        "slices": slices_of(kept, labels=size, positive=positive, resamples=resamples, seed=seed),
        "leakage": leakage_of(
            kept,
            order=rows.order,
            seen=seen,
            near=near,
            labels=size,
            positive=positive,
            resamples=resamples,
            seed=seed,
        ),
    }


def _tried(
    cascade: "Cascade",
    rows: "Rows",
    behaviour: BehaviourConfig | None,
    must_pass: Sequence[MustPass],
    folder: Path | None,
) -> dict[str, Any]:
    """Return what became of texts that were changed or must pass, and what the artifact's parts are worth."""
    return {
        "must_pass": check_must_pass(cascade, must_pass),
        "behaviour": run_behaviour(cascade, rows, behaviour) if behaviour else (),
        "rule_account": account_of(cascade, rows) if folder else None,
        "cost": measure_cost(cascade, folder, rows.texts) if folder else None,
    }


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
        "thresholds": cascade.operating_point.thresholds,
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


def _deciding(
    cascade: "Cascade",
    outcome: Outcome,
    measured: Measured,
    tables: "Sequence[ThresholdTable]",
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Return what is to say of how it was decided: by what, how well calibrated, at which point."""
    right, rules = outcome.truth == outcome.decided, [rule.id for rule in cascade.rules.deciding]
    method = cascade.operating_point.calibration.method
    found = {
        "decided_by": decided_by(right, outcome.rules, rules),
        "calibration": _calibration(outcome, method, resamples=resamples, seed=seed),
    }
    if not tables:
        return found
    goal, cells, labels = cascade.task.threshold.parsed, outcome.cells, measured.per_class
    point = ChosenPoint(
        goal=cascade.operating_point.goal,
        thresholds=confirm(goal, tables, cascade.labels, cells, labels, resamples=resamples, seed=seed),
        review=cascade.operating_point.review,
        reviewed=_reviewed(cascade, outcome),
    )
    return found | {"operating_point": point}


def _calibration(outcome: Outcome, method: str, *, resamples: int, seed: int) -> Reliability:
    """Return how well the scores of the rows that the model decided are calibrated."""
    scored, binary = outcome.by_model, len(outcome.labels) == 2
    return reliability_of(
        outcome.truth[scored],
        outcome.scores[scored],
        positive=outcome.labels.index(outcome.positive) if binary else None,
        event=f"Probability of {outcome.positive}" if binary else "Probability of the most probable label",
        method=method,
        resamples=resamples,
        seed=seed,
        reason="rules decided every row" if len(scored) else NO_ROWS,
    )


def _reviewed(cascade: "Cascade", outcome: Outcome) -> int:
    """Return how many rows fall into the review band."""
    positive = cascade.labels.index(cascade.task.positive)
    column = positive if cascade.task.binary else outcome.decided
    return int(cascade.operating_point.in_review(outcome.scores, column, outcome.rules).sum())


def _training(cascade: "Cascade", given: Mapping[str, Any]) -> TrainingFacts:
    hyperparameters = cascade.task.estimator.model_dump(mode="json")
    return TrainingFacts.model_validate({"hyperparameters": hyperparameters} | dict(given))


class _Judged(NamedTuple):
    """The rows as they came: label numbers, probabilities of each label, and which rule decided or -1."""

    truth: Counts
    decided: Counts
    scores: Floats
    rules: Counts


def _judge(cascade: "Cascade", rows: "Rows") -> _Judged:
    truth = _numbers(rows.labels, cascade.labels)
    judged = cascade.judge(rows.texts)
    scores, shape = judged.probabilities, (len(rows), len(cascade.labels))
    if scores.shape != shape or not np.isfinite(scores).all():
        raise ArtifactError(
            f"The model {cascade.task.model!r} gave probabilities of shape {scores.shape} for "
            f"{shape[0]} texts and {shape[1]} labels, or some that are no finite numbers. Train it again."
        )
    return _Judged(truth, _numbers(judged.labels, cascade.labels), scores, judged.rules)


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
