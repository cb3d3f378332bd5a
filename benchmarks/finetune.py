"""How well MiniLM reads IMDB, fine-tuned and frozen: ``python -m benchmarks.finetune``; it can be resumed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.config import Task
from assay.datasets import Dataset
from assay.estimators import load_artifact, save_artifact, train_cascade
from assay.evaluation import evaluate
from assay.families import TransformerConfig
from assay.progress import Progress
from benchmarks.sets import ROOT, facts, load, run, task_named

EPOCHS = 1
"""How often the fine-tuned encoder reads all training rows: what two cores do in about an hour."""
TASKS = ("sentiment-minilm", "sentiment-embedding")
WORK = ROOT / ".assay" / "benchmarks"


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what each family reaches on the rows of IMDB's original split."""
    return {"imdb": [each for name in TASKS for each in reached(name, folder, progress)]}


def reached(name: str, folder: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield what a task's estimator reaches; the trained artifact is kept, and not trained again."""
    task = bounded(task_named(name))
    dataset = load(task, folder / "imdb_*.parquet", progress)
    artifact = WORK / name
    if not artifact.exists():
        cascade = train_cascade(
            task, dataset.train, dataset.validation, work=WORK / "training", progress=progress
        )
        save_artifact(cascade, artifact, golden=dataset.validation.texts[:20], provenance={})
        assert cascade.training is not None
        (WORK / f"{name}.training.json").write_text(cascade.training.to_json())
    yield measured(task, artifact, dataset, progress)


def bounded(task: Task) -> Task:
    """Return a task whose fine-tuning takes no longer than an hour or so."""
    estimator = task.estimator
    if isinstance(estimator, TransformerConfig):
        return task.model_copy(update={"estimator": estimator.model_copy(update={"epochs": EPOCHS})})
    return task


def measured(task: Task, artifact: Path, dataset: Dataset, progress: Progress) -> dict[str, Any]:
    """Return the figures of an artifact on the held-out rows."""
    report = evaluate(load_artifact(artifact), dataset.test, dataset=facts(dataset), progress=progress)
    training = json.loads((WORK / f"{task.name}.training.json").read_text())
    return {
        "task": task.name,
        "training": training["facts"],
        "epochs": training["epochs"],
        "estimator": task.estimator.model_dump(mode="json"),
        "accuracy": report.metrics["accuracy"].model_dump(mode="json"),
        "f1": report.metrics["f1"].model_dump(mode="json"),
        "test_rows": len(dataset.test),
    }


if __name__ == "__main__":
    sys.exit(run("finetune", __doc__ or "", "imdb_train.parquet", measure))
