"""Texts to decisions without the web: ``make bench``, or ``python -m benchmarks.score``.

One text at a time, in batches on one and on two threads, and a file of 25,000 reviews by ``assay score``;
scikit-learn does the same beside, in the same rounds. The garbage collector's objects are frozen first, as
the service does it.
"""

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from assay.estimators import NO_RULES, Cascade
from assay.progress import Progress
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.score_files import scored_files
from benchmarks.sets import run
from benchmarks.subject import SOURCES, WORK, pipeline_in, prepare, shipped, table

AT_ONCE = 1_000
"""Texts of one call, in batches."""
THREADS = (1, 2)

Decide = Callable[[Sequence[str]], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-files", action="store_true")
    parser.add_argument("--no-shipped", action="store_true")
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    return run("score", __doc__ or "", "imdb_train.parquet", partial(measure, options=options), rest)


def measure(folder: Path, progress: Progress, *, options: argparse.Namespace) -> dict[str, Any]:
    """Return microseconds of single texts, texts a second of batches, and seconds of files."""
    import joblib

    subject = prepare(folder, options.work, progress)
    cascade = subject.cascade()
    ways: dict[str, Decide] = {
        "assay": cascade.decide,
        "no_rules": without_rules(cascade).decide,
        "scikit-learn": joblib.load(pipeline_in(options.work)).predict_proba,
    }
    batches = dict(ways)
    if not options.no_shipped:
        task = shipped("sentiment", folder, options.work, subject.sets, progress)
        batches["sentiment"] = task.cascade().decide
    gc.collect()
    gc.freeze()
    texts = {name: [row.text for row in rows] for name, rows in subject.sets.items()}
    rounds = 2 if options.quick else 5
    with progress.step("one text at a time"):
        single = {
            name: singles(ways, some[: 300 if options.quick else None], rounds)
            for name, some in texts.items()
        }
    reviews = table(folder / SOURCES["long"][0])[0]
    with progress.step("batches"):
        batch = in_batches(batches, reviews[: 2_000 if options.quick else 10_000], rounds)
    found = {"rounds": rounds, "load_average": os.getloadavg()[0], "single": single, "batch": batch}
    if not options.no_files:
        with progress.step("files"):
            rows = 5_000 if options.quick else 25_000
            found["files"] = scored_files(
                subject, options.work, reviews, rows=rows, rounds=1 if options.quick else 3
            )
    return found


def without_rules(cascade: Cascade) -> Cascade:
    """Return the same cascade with the model alone."""
    point = cascade.operating_point.model_copy(update={"rules": {}})
    return replace(cascade, rules=NO_RULES, operating_point=point)


def singles(ways: Mapping[str, Decide], texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Return microseconds a text of each way: over all calls, and over the texts' quickest calls.

    The ways take turns, round by round, so that what disturbs the machine disturbs all. The quickest call of
    each text is hardly disturbed.
    """
    times: dict[str, list[list[int]]] = {name: [] for name in ways}
    for decide in ways.values():
        timed(decide, texts[:100])
    for _ in range(rounds):
        for name, decide in ways.items():
            times[name].append(timed(decide, texts))
    medians = {name: [statistics.median(one) / 1e3 for one in several] for name, several in times.items()}
    return {
        "texts": len(texts),
        "ways": {
            name: {
                "median": over_rounds(medians[name]),
                "p99": over_rounds([cut(one, 0.99) / 1e3 for one in several]),
                "quickest": spread_of([min(calls) for calls in zip(*several, strict=True)]),
            }
            for name, several in times.items()
        },
        "ratios": {
            name: ratio_over_rounds(medians["scikit-learn"], medians[name])
            for name in ways
            if name != "scikit-learn"
        },
    }


def timed(decide: Decide, texts: Sequence[str]) -> list[int]:
    """Return the nanoseconds of each text, given alone."""
    took = []
    for text in texts:
        begun = time.perf_counter_ns()
        decide([text])
        took.append(time.perf_counter_ns() - begun)
    return took


def cut(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread_of(nanoseconds: Sequence[int]) -> dict[str, float]:
    """Return median and 99th percentile over texts, in microseconds."""
    return {"median": statistics.median(nanoseconds) / 1e3, "p99": cut(nanoseconds, 0.99) / 1e3}


def in_batches(ways: Mapping[str, Decide], texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Return texts a second of each way on one thread and on two."""
    rates: dict[str, dict[int, list[float]]] = {name: {count: [] for count in THREADS} for name in ways}
    for _ in range(rounds):
        for name, decide in ways.items():
            for count in THREADS:
                rates[name][count].append(rate(decide, texts, count))
    return {
        "texts": len(texts),
        "at_once": AT_ONCE,
        "ways": {
            name: {str(count): over_rounds(found) for count, found in each.items()}
            | {"gain": ratio_over_rounds(each[2], each[1])}
            for name, each in rates.items()
        },
    }


def rate(decide: Decide, texts: Sequence[str], threads: int) -> float:
    """Return texts a second, a thousand in each call."""
    parts = [texts[at : at + AT_ONCE] for at in range(0, len(texts), AT_ONCE)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(decide, parts[:1]))
        begun = time.perf_counter()
        list(pool.map(decide, parts))
        return len(texts) / (time.perf_counter() - begun)


if __name__ == "__main__":
    raise SystemExit(main())
