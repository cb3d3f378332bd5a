"""Labelled rows to a model of the family that a task asks for, and scores that are held out from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.config import Task
from assay.estimators.cross_validation import folds_of
from assay.estimators.held_out import HeldOut, keys_of
from assay.estimators.model import Model
from assay.estimators.selection import select
from assay.estimators.tfidf import fit_linear
from assay.exceptions import ConfigError, DataError
from assay.families import EmbeddingConfig, TfidfConfig, TransformerConfig
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators.encoder.model import EncoderModel
    from assay.estimators.transformer import QuantizationCost, TrainingRecord
    from assay.estimators.transformer.quantization_cost import Answers


class Fitted(NamedTuple):
    """A model, rows with scores of models that did not see them, how an encoder was trained, what int8 cost.

    ``held_out`` is None where nothing is chosen on scores or none could be made.
    """

    model: Model
    held_out: HeldOut | None
    record: "TrainingRecord | None" = None
    quantization: "QuantizationCost | None" = None


def fit_model(
    task: Task,
    train: "Rows",
    validation: "Rows",
    *,
    evidence: Mapping[str, NDArray[np.bool_]],
    ruled: NDArray[np.int64],
    scores: bool,
    work: Path | None,
    progress: Progress,
) -> Fitted:
    """Return the model of a task's family, with held-out scores where ``scores`` are needed.

    ``evidence`` says for each evidence rule, by its id, which rows of both sides it hits, and ``ruled`` holds
    the number of the label that a rule decides for each, or -1. ``work`` is where
    an encoder's training keeps what it goes on from after an interruption. Raises ConfigError for evidence
    rules beside an encoder, DataError when the rows leave nothing to learn from, MissingExtra.
    """
    if isinstance(task.estimator, TfidfConfig):
        return _fit_ngrams(task, task.estimator, train, validation, evidence, ruled, scores, progress)
    check_family(task, list(evidence))
    if not len(validation):
        raise DataError(
            f"The family {task.estimator.family!r} needs validation rows, to choose epoch, calibration "
            "and threshold on, and there are none: raise data.validation in the task's file."
        )
    return _fit_encoder(task, task.estimator, train, validation, ruled, work, progress)


def check_family(task: Task, evidence: Sequence[str]) -> None:
    """Raise ConfigError for evidence rules beside an encoder, and for a base that cannot be trained on.

    Raises MissingExtra where the libraries of encoders are not installed.
    """
    if isinstance(task.estimator, TfidfConfig):
        return
    if evidence:
        raise ConfigError(
            f"The rules {sorted(evidence)} of {task.rules} are evidence, a feature beside n-grams, and the "
            f"family {task.estimator.family!r} reads nothing but the text. Let them decide."
        )
    from assay.estimators.transformer.base import load_base

    load_base(task.estimator)


def _fit_ngrams(
    task: Task,
    config: TfidfConfig,
    train: "Rows",
    validation: "Rows",
    evidence: Mapping[str, NDArray[np.bool_]],
    ruled: NDArray[np.int64],
    scores: bool,
    progress: Progress,
) -> Fitted:
    """Fit all rows, and each by a model of the other folds."""
    rows = train + validation
    model, logits = fit_linear(
        config,
        task.labels,
        rows.texts,
        rows.labels,
        evidence=evidence,
        folds=folds_of(rows.texts, rows.labels) if scores else None,
        progress=progress,
    )
    if logits is None:
        return Fitted(model, None)
    validating = np.arange(len(rows)) >= len(train)
    truth = numbers_of(rows.labels, task.labels)
    return Fitted(model, HeldOut(keys_of(rows.texts), logits, truth, validating, ruled))


def _fit_encoder(
    task: Task,
    config: TransformerConfig | EmbeddingConfig,
    train: "Rows",
    validation: "Rows",
    ruled: NDArray[np.int64],
    work: Path | None,
    progress: Progress,
) -> Fitted:
    """Fit the training rows; the validation rows get the scores of the model as it will be served."""
    from assay.estimators.transformer import fit_encoder, in_eight_bits
    from assay.estimators.transformer.quantization_cost import measure_quantization

    model, record = fit_encoder(config, task, train, validation, work=work, progress=progress)
    truth, keys = numbers_of(validation.labels, task.labels), keys_of(validation.texts)
    # A fifth is kept from the curves that the methods of calibration are compared by.
    folds = folds_of(validation.texts, validation.labels)
    kept = np.zeros(len(validation), np.bool_) if folds is None else folds == 0
    unscored = keys_of(train.texts)

    def scored(model: "EncoderModel") -> HeldOut:
        with progress.step(f"score {len(validation):,} validation rows in {model.spec.precision}"):
            logits = model.logits(validation.texts)
        return HeldOut(keys, logits, truth, kept, ruled[len(train) :], unscored=unscored)

    held_out = scored(model)
    if config.quantize == "none":
        return Fitted(model, held_out, record)
    with progress.step("quantize the network"):
        small = in_eight_bits(model)
    found = scored(small)
    cost = measure_quantization(
        truth,
        answers_of(task, model, held_out),
        answers_of(task, small, found),
        labels=task.labels,
        positive=task.positive,
    )
    for line in cost.lines():
        progress.say(f"  {line}")
    return Fitted(small, found, record, cost)


def answers_of(task: Task, model: "EncoderModel", held_out: HeldOut) -> "Answers":
    """Return what a network decides about the rows at an operating point of its own."""
    from assay.estimators.transformer.quantization_cost import Answers

    point, _ = select(task, model.link, held_out)
    sample = held_out.sample(point.calibration, model.link)
    given = sample.decided(point, task.labels, task.positive)
    return Answers(given, sample.probabilities, len(model.network))


def numbers_of(given: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each label given."""
    number = {label: at for at, label in enumerate(labels)}
    return np.fromiter((number[label] for label in given), np.int64, len(given))
