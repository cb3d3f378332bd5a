"""Rules, calibration and operating point chosen again, without training: a new version of the same model."""

import time
from dataclasses import replace

import numpy as np

from assay.config import Task
from assay.datasets import Dataset
from assay.estimators import Cascade, HeldOut, load_artifact, read_held_out, retune
from assay.exceptions import ConfigError, DataError
from assay.judging import read_rows
from assay.pipeline import Outcome, register_candidate
from assay.progress import Progress
from assay.registry import open_version
from assay.settings import Settings

ALIKE = ("labels", "positive", "estimator")
"""The keys of a task that its model was trained for."""


def tune_version(
    task: Task, reference: str, settings: Settings, *, progress: Progress, promote: bool = False
) -> Outcome:
    """Return the version made of a registered version's model with the task's rules and goal of today.

    Calibration and operating point are chosen again on the scores that the training kept, and the gate
    decides as about any candidate. Raises ConfigError where the model itself would have to change (labels,
    estimator, evidence rules), DataError when no row of the training is found any more, or one is
    found on the other side.
    """
    begun, started = len(progress.lines), time.monotonic()
    found, folder = open_version(settings.store, task.model, reference, settings.cache)
    cascade, held_out = load_artifact(folder), read_held_out(folder)
    origin = f"{task.model} version {found.number}"
    if held_out is None:
        raise ConfigError(
            f"{origin} keeps no held-out scores (it was imported, or its task chooses nothing by them), so "
            f"nothing can be chosen again. Train instead: assay train {task.name}"
        )
    refuse_other_model(task, cascade, origin)
    progress.say(f"  the model of {origin}, its rules and threshold chosen again")
    dataset = read_rows(task, settings, progress=progress)
    held_out.check_unseen(dataset.test.texts, origin)
    texts, scored = known_rows(dataset, held_out, task, progress=progress)
    candidate = retune(cascade, task, texts, scored)
    if candidate.selection:
        progress.say(f"  {candidate.selection.reason}")
    seconds = time.monotonic() - started
    return register_candidate(
        candidate, dataset, settings, seconds=seconds, begun=begun, promote=promote, progress=progress
    )


def refuse_other_model(task: Task, cascade: Cascade, origin: str) -> None:
    """Raise ConfigError when a task asks for another model than the cascade's."""
    for key in ALIKE:
        ours, theirs = getattr(task, key), getattr(cascade.task, key)
        if ours != theirs:
            raise ConfigError(
                f"The task's {key} is not that of {origin}, so its model cannot be kept "
                f"({theirs!r:.200} then, {ours!r:.200} now). Train instead: assay train {task.name}",
                key=key,
            )


def known_rows(
    dataset: Dataset, held_out: HeldOut, task: Task, *, progress: Progress
) -> tuple[list[str], HeldOut]:
    """Return the training texts that have held-out scores, and the scores with the labels of today."""
    rows = dataset.training
    places = held_out.places(rows.texts)
    kept = np.flatnonzero(places >= 0)
    if not len(kept):
        raise DataError(
            f"None of the {len(rows):,} training rows has a held-out score: the data is not that of the "
            f"training. Train instead: assay train {task.name}"
        )
    new, trained = int((~held_out.seen(rows.texts)).sum()), len(rows) - len(kept)
    if new:
        progress.say(f"  {new:,} of {len(rows):,} training rows are new and have no score")
    if trained > new:
        progress.say(
            f"  chosen on {len(kept):,} validation rows: what it was trained on has no held-out score"
        )
    scored = held_out.taken(places[kept])
    truth = np.array([task.labels.index(rows.labels[at]) for at in kept.tolist()], np.int64)
    return [rows.texts[at] for at in kept.tolist()], replace(scored, truth=truth)
