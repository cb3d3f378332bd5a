"""One fit on IMDB's training reviews: ``make bench``, or ``python -m benchmarks.train``.

Assay's fit and scikit-learn's of the same model: TF-IDF of words and pairs of words, and the NB-weighted one
to three words of the shipped sentiment task (Wang and Manning, 2012). Each fit is a process of its own, in
turn; reading the rows is not timed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import Task, ThresholdConfig
from assay.datasets import Rows
from assay.estimators import train_cascade
from assay.families import TfidfConfig
from assay.progress import Progress
from benchmarks.intervals import over_rounds, ratio_over_rounds, share
from benchmarks.processes import used
from benchmarks.sets import run, task_named
from benchmarks.subject import table, unfitted

TEXTS = tuple[Sequence[str], Sequence[str]]
TFIDF = TfidfConfig(weighting="idf", tokens="words", word_ngrams=(1, 2), min_df=3, sublinear_tf=True, C=10.0)
MODELS = {"tfidf": "TF-IDF, 1 to 2 words", "nb": "NB-weighted, 1 to 3 words (sentiment)"}
LIBRARIES = ("assay", "scikit-learn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results, or fit once for that; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fit", nargs=3, metavar=("LIBRARY", "MODEL", "FOLDER"))
    options, rest = parser.parse_known_args(arguments)
    if options.fit:
        library, model, folder = options.fit
        print(json.dumps(fitted(library, model, Path(folder))))
        return 0
    measured = partial(measure, rounds=1 if options.quick else 3)
    return run("train", __doc__ or "", "imdb_train.parquet", measured, rest)


def measure(folder: Path, progress: Progress, *, rounds: int) -> dict[str, Any]:
    """Return seconds, accuracy and largest memory of each fit."""
    found: dict[str, Any] = {"rounds": rounds, "models": {}}
    for model in MODELS:
        told: dict[str, list[dict[str, Any]]] = {library: [] for library in LIBRARIES}
        for number in range(rounds):
            for library in LIBRARIES:
                with progress.step(f"{model} by {library}, round {number + 1}"):
                    told[library].append(in_a_process(library, model, folder))
        found["models"][model] = summary(told)
    return found


def in_a_process(library: str, model: str, folder: Path) -> dict[str, Any]:
    """Return what a process tells that fits one model, with its largest memory."""
    command = [sys.executable, "-m", "benchmarks.train", "--fit", library, model, str(folder)]
    _, peak, output = used(command)
    return {**json.loads(output.strip().rpartition("\n")[2]), "memory": peak}


def summary(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what each library took over the rounds, and how many times as fast the first is."""
    seconds = {library: [each["seconds"] for each in several] for library, several in told.items()}
    first, second = LIBRARIES
    return {
        "libraries": {
            library: {
                "seconds": over_rounds(seconds[library]),
                "processor": over_rounds([each["processor"] for each in several]),
                "memory": over_rounds([each["memory"] for each in several]),
                "accuracy": several[0]["accuracy"],
            }
            for library, several in told.items()
        },
        "ratio": ratio_over_rounds(seconds[second], seconds[first]),
    }


def fitted(library: str, model: str, folder: Path) -> dict[str, Any]:
    """Return the seconds of one fit, of the clock and the processor, and its accuracy on the test reviews."""
    train, test = (table(folder / f"imdb_{side}.parquet") for side in ("train", "test"))
    fit = {"assay": by_assay, "scikit-learn": by_scikit_learn}[library]
    begun, spent = time.perf_counter(), time.process_time()
    predict = fit(model, train)
    took = {"seconds": time.perf_counter() - begun, "processor": time.process_time() - spent}
    given = predict(test[0])
    right = sum(a == b for a, b in zip(given, test[1], strict=True))
    return {**took, "accuracy": share(right, len(test[1]))}


def by_assay(model: str, train: TEXTS) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what predicts after one fit: the threshold is fixed, so nothing is fitted fold by fold."""
    task = plain_task(task_named("sentiment"), TFIDF if model == "tfidf" else None)
    return train_cascade(task, Rows(list(train[0]), list(train[1])), progress=Progress(quiet=True)).predict


def plain_task(task: Task, estimator: TfidfConfig | None) -> Task:
    """Return a task with nothing but its model, and that of another estimator where one is given."""
    plain = {"rules": "", "calibration": "none", "threshold": ThresholdConfig()}
    return task.model_copy(update={**plain, "estimator": estimator or task.estimator})


def by_scikit_learn(model: str, train: TEXTS) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what predicts after scikit-learn's fit of the same model."""
    if model == "tfidf":
        predict: Callable[[Sequence[str]], Sequence[str]] = unfitted().fit(*train).predict
        return predict
    config = task_named("sentiment").estimator
    assert isinstance(config, TfidfConfig)
    return nb_by_scikit_learn(config, *train)


def nb_by_scikit_learn(
    config: TfidfConfig, texts: Sequence[str], labels: Sequence[str]
) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what predicts after a fit of NB-weighted n-grams, as one writes it with scikit-learn."""
    from scipy.sparse import diags
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    vectoriser = CountVectorizer(
        ngram_range=config.word_ngrams, min_df=config.min_df, binary=True, token_pattern=r"\w+|[^\w\s]"
    )
    counts = vectoriser.fit_transform(texts)
    positive = np.asarray(labels) == "positive"
    sides = [config.alpha + np.asarray(counts[side].sum(axis=0)).ravel() for side in (positive, ~positive)]
    ratio = diags(np.log(sides[0] / sides[0].sum()) - np.log(sides[1] / sides[1].sum()))
    regression = LogisticRegression(C=config.C, solver="liblinear", dual=True, max_iter=config.max_iter)
    regression.fit(normalize(counts @ ratio), labels)
    return lambda some: regression.predict(normalize(vectoriser.transform(some) @ ratio)).tolist()


if __name__ == "__main__":
    raise SystemExit(main())
