"""A CSV of reviews to the same rows with decisions: ``assay score`` beside pandas with scikit-learn.

Each is a process of its own. What a file with a single row takes is the start, and is taken off.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.processes import used
from benchmarks.subject import Subject, pipeline_in

PANDAS = """
import sys
import joblib, pandas
pipeline = joblib.load(sys.argv[1])
rows = pandas.read_csv(sys.argv[2])
given = pipeline.predict_proba(rows["text"])
best = given.argmax(axis=1)
rows["label"] = pipeline.classes_[best]
rows["probability"] = given.max(axis=1)
rows.to_csv(sys.argv[3], index=False)
"""
TIMES = 4
"""How many times as many rows the larger file has: memory that stays the same is constant."""


def scored_files(
    subject: Subject, work: Path, texts: Sequence[str], *, rows: int, rounds: int
) -> dict[str, Any]:
    """Return seconds after the start and the largest memory, of each way, and of Assay with more rows."""
    files = {count: work / f"reviews-{count}.csv" for count in (1, rows, TIMES * rows)}
    for count, file in files.items():
        write(file, texts, count)
    ways = {
        "assay": [sys.executable, "-m", "assay.cli", "score", str(subject.folder), "{file}", "-o", "{out}"],
        "pandas": [sys.executable, "-c", PANDAS, str(pipeline_in(work)), "{file}", "{out}"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    starts: dict[str, list[float]] = {name: [] for name in ways}
    memory: dict[str, list[int]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, words in ways.items():
            start, _ = process(words, files[1], work)
            whole, peak = process(words, files[rows], work)
            seconds[name].append(whole - start)
            starts[name].append(start)
            memory[name].append(peak)
    return {
        "rows": rows,
        "bytes": files[rows].stat().st_size,
        "ways": {
            name: {
                "seconds": over_rounds(seconds[name]),
                "start": over_rounds(starts[name]),
                "memory": over_rounds(memory[name]),
            }
            for name in ways
        },
        "ratio": ratio_over_rounds(seconds["pandas"], seconds["assay"]),
        "more": {"rows": TIMES * rows, "memory": process(ways["assay"], files[TIMES * rows], work)[1]},
    }


def write(file: Path, texts: Sequence[str], rows: int) -> None:
    """Write a CSV of so many texts, from the first again where there are not as many."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text"])
        writer.writerows([number, texts[number % len(texts)]] for number in range(rows))


def process(words: Sequence[str], file: Path, work: Path) -> tuple[float, int]:
    """Return the seconds of a process and its largest memory in bytes."""
    out = work / "scored.csv"
    out.unlink(missing_ok=True)
    names: Mapping[str, str] = {"{file}": str(file), "{out}": str(out)}
    seconds, peak, _ = used([names.get(word, word) for word in words])
    if not out.is_file():
        raise RuntimeError(f"{words!r} wrote nothing")
    return seconds, peak
