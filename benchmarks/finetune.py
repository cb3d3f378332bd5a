"""How well MiniLM reads IMDB, fine-tuned and frozen: ``python -m benchmarks.finetune``; it can be resumed."""

import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import Task
from assay.datasets import Dataset, Rows
from assay.estimators import Cascade, load_artifact, save_artifact, train_cascade
from assay.estimators.encoder.model import EncoderModel
from assay.estimators.transformer.fit import in_eight_bits
from assay.estimators.transformer.quantization_cost import Answers, measure_quantization
from assay.evaluation import evaluate
from assay.families import TransformerConfig
from assay.progress import Progress
from benchmarks.sets import ROOT, facts, load, run, task_named

EPOCHS = 1
"""How often the fine-tuned encoder reads all training rows: what two cores do in about an hour."""
FROZEN_ROWS = {"train": 4_000, "test": 5_000}
"""Reviews that the frozen encoder, which the other is compared with, is trained and measured on."""
INT8_ROWS = 1_000
"""Test reviews that the fine-tuned encoder decides in eight bits, too."""
TASKS = ("sentiment-minilm", "sentiment-embedding")
WORK = ROOT / ".assay" / "benchmarks"


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what each family reaches on the rows of IMDB's original split."""
    return {"imdb": [reached(name, folder, progress) for name in TASKS], "int8": int8(folder, progress)}


def reached(name: str, folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what a task's estimator reaches; what was trained or measured before is not done again."""
    figures = WORK / f"{name}.figures.json"
    if not figures.exists():
        task = bounded(task_named(name))
        dataset = rows_for(task, load(task, folder / "imdb_*.parquet", progress))
        artifact = WORK / name
        if not artifact.exists():
            train(task, dataset, artifact, progress)
        figures.write_text(json.dumps(measured(task, artifact, dataset, progress)))
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


def int8(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what eight bits cost the fine-tuned encoder, at the threshold of single precision."""
    name = TASKS[0]
    figures = WORK / f"{name}.int8.json"
    if not figures.exists():
        rows = sample(load(task_named(name), folder / "imdb_*.parquet", progress).test, INT8_ROWS)
        cascade = load_artifact(WORK / name)
        assert isinstance(cascade.model, EncoderModel)
        quantized = replace(cascade, model=in_eight_bits(cascade.model))
        labels, positive = cascade.labels, cascade.task.positive
        with progress.step(f"decide {len(rows):,} rows in fp32 and int8"):
            ways = [answers(each, rows.texts) for each in (cascade, quantized)]
        truth = np.array([labels.index(label) for label in rows.labels])
        cost = measure_quantization(truth, *ways, labels=labels, positive=positive)
        figures.write_text(cost.to_json())
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


def answers(cascade: Cascade, texts: list[str]) -> Answers:
    """Return what a cascade of two labels decides."""
    assert isinstance(cascade.model, EncoderModel)
    decisions = cascade.decide(texts)
    scores = np.array([decision.score for decision in decisions], np.float64)
    given = np.array([cascade.labels.index(decision.label) for decision in decisions])
    return Answers(given, np.column_stack([1 - scores, scores]), len(cascade.model.network))


def train(task: Task, dataset: Dataset, artifact: Path, progress: Progress) -> None:
    """Train a task's estimator and keep it, with what its training told beside it."""
    cascade = train_cascade(
        task, dataset.train, dataset.validation, work=WORK / "training", progress=progress
    )
    save_artifact(cascade, artifact, golden=dataset.validation.texts[:20], provenance={})
    assert cascade.training is not None
    (WORK / f"{task.name}.training.json").write_text(cascade.training.to_json())


def rows_for(task: Task, dataset: Dataset) -> Dataset:
    """Return the rows that a task is trained and measured on: for the frozen encoder a sample of both."""
    if isinstance(task.estimator, TransformerConfig):
        return dataset
    rows = {side: sample(dataset.side(side), number) for side, number in FROZEN_ROWS.items()}
    return replace(dataset, train=rows["train"], test=rows["test"])


def sample(rows: Rows, number: int) -> Rows:
    """Return so many rows, drawn at random and the same each time."""
    places = sorted(random.Random(0).sample(range(len(rows)), min(number, len(rows))))
    columns = {name: [values[at] for at in places] for name, values in rows.columns.items()}
    return Rows([rows.texts[at] for at in places], [rows.labels[at] for at in places], columns)


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
