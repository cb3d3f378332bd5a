"""Three labels and two on posts: ``make bench``, or ``python -m benchmarks.abuse``.

Davidson et al. (2017), a fifth of the rows held out by each of five salts.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.config import Task
from assay.datasets import Rows
from assay.estimators import train_cascade
from assay.progress import Progress
from benchmarks.intervals import mean_over_seeds, share
from benchmarks.sets import SALTS, load, run, task_named

Cells = NDArray[np.int64]
SOURCE = "davidson_tweets.parquet"


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return macro F1 and the hate class of the three labels, and what the binary view finds."""
    return {"salts": list(SALTS), "three": three(folder, progress), "binary": binary(folder, progress)}


def three(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return the figures of the three labels at the task's operating point and at the likeliest label."""
    task = task_named("abuse")
    served, likeliest = [], []
    for salt in SALTS:
        dataset = load(task, folder / SOURCE, progress, salt)
        cascade = train_cascade(task, dataset.train, dataset.validation, progress=progress)
        judged = cascade.judge(dataset.test.texts)
        plain = [task.labels[column] for column in judged.probabilities.argmax(axis=1)]
        served.append(cells(task, dataset.test, judged.labels))
        likeliest.append(cells(task, dataset.test, plain))
    return {
        "goal": task.threshold.goal,
        "estimator": task.estimator.model_dump(mode="json"),
        "served": figures_of(task, served),
        "likeliest": figures_of(task, likeliest),
    }


def binary(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what share of abusive posts is found, and what share of what is found is abusive."""
    task = task_named("abuse-binary")
    found = []
    for salt in SALTS:
        dataset = load(task, folder / SOURCE, progress, salt)
        cascade = train_cascade(task, dataset.train, dataset.validation, progress=progress)
        found.append(cells(task, dataset.test, cascade.predict(dataset.test.texts)))
    return {"goal": task.threshold.goal, **of_label(sum_of(found), task.labels.index(task.positive))}


def figures_of(task: Task, by_salt: list[Cells]) -> dict[str, Any]:
    """Return macro F1 as a mean over the salts, and precision and recall of the positive label, pooled."""
    macro = mean_over_seeds([macro_f1(one) for one in by_salt])
    return {"macro_f1": macro, **of_label(sum_of(by_salt), task.labels.index(task.positive))}


def cells(task: Task, rows: Rows, given: list[str]) -> Cells:
    """Return how many rows of each label (down) were given each label (across)."""
    found = np.zeros((len(task.labels), len(task.labels)), dtype=np.int64)
    for true, label in zip(rows.labels, given, strict=True):
        found[task.labels.index(true), task.labels.index(label)] += 1
    return found


def sum_of(by_salt: list[Cells]) -> Cells:
    """Return the cells of all salts together."""
    return np.asarray(np.sum(by_salt, axis=0))


def macro_f1(found: Cells) -> float:
    """Return the plain mean of the labels' F1."""
    return float(np.mean(2 * np.diag(found) / (found.sum(axis=0) + found.sum(axis=1))))


def of_label(found: Cells, column: int) -> dict[str, Any]:
    """Return precision and recall of one label with their exact intervals."""
    hits = int(found[column, column])
    return {
        "precision": share(hits, int(found[:, column].sum())),
        "recall": share(hits, int(found[column].sum())),
    }


if __name__ == "__main__":
    sys.exit(run("abuse", __doc__ or "", SOURCE, measure))
