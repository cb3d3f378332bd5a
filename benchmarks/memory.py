"""Resident memory of a worker: ``make bench``, or ``python -m benchmarks.memory``.

Assay with everything on, and the plain FastAPI + scikit-learn of ``../shared/bench``, both with one task and
with one, two and three workers: all their processes together, after some hundred answers and before any swap.
Shared pages are counted in parts (PSS).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks.contenders import PLAIN, Contender, assay, peers
from benchmarks.intervals import over_rounds
from benchmarks.processes import pss, tree
from benchmarks.servers import running
from benchmarks.sets import run
from benchmarks.subject import WORK, prepare

WORKERS = (1, 2, 3)
ANSWERS = 200
"""Texts of each set that are asked before memory is looked at, for each worker."""
SETTLING_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    measured = partial(measure, work=options.work, rounds=1 if options.quick else 3)
    return run("memory", __doc__ or "", "imdb_train.parquet", measured, rest)


def measure(folder: Path, progress: Progress, *, work: Path, rounds: int) -> dict[str, Any]:
    """Return the bytes of each server with each number of workers, round by round."""
    subject = prepare(folder, work, progress)
    families: dict[str, dict[int, Contender]] = {
        "assay": {count: assay(subject, name=f"assay-{count}w", workers=count) for count in WORKERS}
    }
    for plain in peers([PLAIN], work, subject.sets):
        families["plain"] = {count: with_workers(plain, count) for count in WORKERS}
    found: dict[str, Any] = {"workers": list(WORKERS), "answers": ANSWERS, "servers": {}}
    for name, family in families.items():
        totals: dict[int, list[int]] = {count: [] for count in WORKERS}
        processes: dict[int, list[int]] = {}
        for number in range(rounds):
            for count, contender in family.items():
                with progress.step(f"{name}, {count} workers, round {number + 1}"):
                    processes[count] = resident(contender, count, work)
                totals[count].append(sum(processes[count]))
        found["servers"][name] = summary(totals) | {"processes": processes}
    return found


def with_workers(plain: Contender, count: int) -> Contender:
    """Return the plain reference with so many workers of uvicorn."""
    more = ["--workers", str(count)] if count > 1 else []
    return replace(plain, name=f"plain-{count}w", command=[*plain.command, *more])


def resident(contender: Contender, workers: int, work: Path) -> list[int]:
    """Return the bytes of each process of a server that has answered."""
    with running(contender, work / "logs") as server:
        server.wait()
        # Workers start one after another: new connections until all had time to take some.
        for _ in range(4 * workers):
            server.check(ANSWERS // 4)
            time.sleep(SETTLING_SECONDS / 4)
        time.sleep(SETTLING_SECONDS)
        processes = list(tree(server.process.pid))
        return sorted((size for size in map(pss, processes) if size), reverse=True)


def summary(totals: dict[int, list[int]]) -> dict[str, Any]:
    """Return the bytes of one worker alone, of each further one, and of the parent that several have."""
    one, two, three = (totals[count] for count in WORKERS)
    further = [more - less for less, more in zip(two, three, strict=True)]
    parent = [both - first - next_ for first, both, next_ in zip(one, two, further, strict=True)]
    return {
        "total": {str(count): over_rounds(sizes) for count, sizes in totals.items()},
        "first": over_rounds(one),
        "further": over_rounds(further),
        "parent": over_rounds(parent),
    }


if __name__ == "__main__":
    raise SystemExit(main())
