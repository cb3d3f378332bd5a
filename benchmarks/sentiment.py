"""How good the model is on IMDB's original split: ``make bench``, or ``python -m benchmarks.sentiment``."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.estimators import train_cascade
from assay.evaluation import evaluate
from assay.families import TfidfConfig
from assay.progress import Progress
from benchmarks.sets import facts, load, run, task_named

IDF = TfidfConfig(weighting="idf", tokens="words-and-punctuation", word_ngrams=(1, 2), min_df=3, C=100.0)


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return the accuracy of each weighting."""
    return {"imdb": list(imdb(folder, progress))}


def imdb(folder: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of each weighting on IMDB's original split."""
    task = task_named("sentiment")
    dataset = load(task, folder / "imdb_*.parquet", progress)
    for estimator in (IDF, task.estimator):
        chosen = task.model_copy(update={"estimator": estimator})
        started = time.perf_counter()
        cascade = train_cascade(chosen, dataset.train, dataset.validation, progress=progress)
        seconds = time.perf_counter() - started
        report = evaluate(cascade, dataset.test, dataset=facts(dataset), progress=progress)
        yield {
            "estimator": estimator.model_dump(mode="json"),
            "accuracy": report.metrics["accuracy"].model_dump(mode="json"),
            "train_rows": len(dataset.training),
            "test_rows": len(dataset.test),
            "train_seconds": round(seconds, 1),
        }


if __name__ == "__main__":
    sys.exit(run("sentiment", __doc__ or "", "imdb_train.parquet", measure))
