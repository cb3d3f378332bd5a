"""How good the models are on real sets: ``make bench``, or ``python -m benchmarks.quality``.

Reads ../shared/data (IMDB, SMS Spam Collection) and writes benchmarks/results/quality.json.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import EstimatorConfig, Task, read_task
from assay.datasets import Dataset, Rows, load_dataset
from assay.estimators import Cascade, train_cascade
from assay.evaluation import evaluate
from assay.progress import Progress
from assay.provenance import library_versions
from benchmarks.intervals import share

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
SALTS = ("1", "2", "3", "4", "5")
IDF = EstimatorConfig(weighting="idf", tokens="words-and-punctuation", word_ngrams=(1, 2), min_df=3, C=100.0)


def main() -> int:
    """Measure, write the results and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the sets (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to write (%(default)s)")
    options = parser.parse_args()
    if not (options.data / "imdb_train.parquet").is_file():
        print(f"Nothing was measured: shared data is absent (there is no {options.data}).", file=sys.stderr)
        return 0
    progress = Progress()
    sentiment, spam = (read_task(ROOT / "tasks" / f"{name}.toml") for name in ("sentiment", "spam"))
    results = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), **library_versions()},
        "imdb": list(imdb(sentiment, options.data, progress)),
        "sms": sms(spam, options.data, progress),
    }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {options.results}; `make figures` puts it into docs/figures.md.")
    return 0


def load(task: Task, source: Path, progress: Progress, salt: str = "") -> Dataset:
    """Return a task's rows from another source."""
    data = task.data.model_copy(update={"source": str(source), "rename": {}, "salt": salt})
    with tempfile.TemporaryDirectory() as home:
        return load_dataset(data, name=task.name, labels=task.labels, home=Path(home), progress=progress)


def imdb(task: Task, folder: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of each weighting on IMDB's original split."""
    dataset = load(task, folder / "imdb_*.parquet", progress)
    for estimator in (IDF, task.estimator):
        started = time.perf_counter()
        cascade = train_cascade(
            task.model_copy(update={"estimator": estimator}), dataset.training, progress=progress
        )
        seconds = time.perf_counter() - started
        report = evaluate(cascade, dataset.test, dataset=facts(dataset), progress=progress)
        yield {
            "estimator": estimator.model_dump(mode="json"),
            "accuracy": report.metrics["accuracy"].model_dump(mode="json"),
            "train_rows": len(dataset.training),
            "test_rows": len(dataset.test),
            "train_seconds": round(seconds, 1),
        }


def facts(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says of its rows."""
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "counts": dataset.counts(),
        "audit": dataset.audit.to_dict(),
    }


def sms(task: Task, folder: Path, progress: Progress) -> dict[str, Any]:
    """Return spam caught and ham blocked on held-out messages, summed over splits by several salts.

    ``served``: trained as a task is, on the training and validation rows, at the task's threshold.
    ``no_false_alarm``: trained without the validation rows, at the lowest threshold that blocks no
    ham among them.
    """
    served: Counter[str] = Counter()
    careful: Counter[str] = Counter()
    for salt in SALTS:
        dataset = load(task, folder / "sms_spam.parquet", progress, salt)
        cascade = train_cascade(task, dataset.training, progress=progress)
        served += outcomes(
            scores(cascade, dataset.test), dataset.test, cascade.operating_point.threshold or 0.5
        )
        held_back = train_cascade(task, dataset.train, progress=progress)
        threshold = above_all_ham(scores(held_back, dataset.validation), dataset.validation)
        careful += outcomes(scores(held_back, dataset.test), dataset.test, threshold)
    return {
        "salts": list(SALTS),
        "estimator": task.estimator.model_dump(mode="json"),
        "threshold": task.threshold.value,
        "served": shares(served),
        "no_false_alarm": shares(careful),
    }


def scores(cascade: Cascade, rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each text's probability of spam."""
    return cascade.predict_proba(rows.texts)[:, cascade.labels.index("spam")]


def above_all_ham(probabilities: np.ndarray[Any, np.dtype[np.float64]], rows: Rows) -> float:
    """Return the lowest threshold that no ham reaches."""
    ham = [p for p, label in zip(probabilities.tolist(), rows.labels, strict=True) if label == "ham"]
    return float(np.nextafter(max(ham), 2.0))


def outcomes(
    probabilities: np.ndarray[Any, np.dtype[np.float64]], rows: Rows, threshold: float
) -> Counter[str]:
    """Return the counts of each label and of those of it that reach the threshold."""
    counts: Counter[str] = Counter(rows.labels)
    for p, label in zip(probabilities.tolist(), rows.labels, strict=True):
        counts[f"{label} blocked"] += p >= threshold
    return counts


def shares(counts: Counter[str]) -> dict[str, Any]:
    """Return spam caught and ham blocked with their intervals."""
    return {
        "spam_caught": share(counts["spam blocked"], counts["spam"]),
        "ham_blocked": share(counts["ham blocked"], counts["ham"]),
    }


if __name__ == "__main__":
    sys.exit(main())
