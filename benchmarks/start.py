"""Time from exec to the first good answer: ``make bench``, or ``python -m benchmarks.start``.

Assay with everything on, an empty FastAPI and the plain FastAPI + scikit-learn of ``../shared/bench``, in
turn, asked every 5 ms; each is started once before, so that its files are in the page cache.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks.contenders import CONSTANT, PLAIN, Contender, assay, peers
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.processes import processor_of
from benchmarks.servers import running
from benchmarks.sets import run
from benchmarks.subject import WORK, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    measured = partial(measure, work=options.work, rounds=3 if options.quick else 15)
    return run("start", __doc__ or "", "imdb_train.parquet", measured, rest)


def measure(folder: Path, progress: Progress, *, work: Path, rounds: int) -> dict[str, Any]:
    """Return the seconds of each server, of the clock and of the processor."""
    subject = prepare(folder, work, progress)
    contenders = [
        compiled(each, work) for each in (assay(subject), *peers([CONSTANT, PLAIN], work, subject.sets))
    ]
    clock: dict[str, list[float]] = {each.name: [] for each in contenders}
    processor: dict[str, list[float]] = {each.name: [] for each in contenders}
    load = []
    for number in range(rounds + 1):
        with progress.step(f"round {number} of {rounds}"):
            load.append(os.getloadavg()[0])
            for contender in contenders:
                waited, spent = first_answer(contender, work)
                # The first round only compiles the sources and brings the files into the page cache.
                if number:
                    clock[contender.name].append(waited)
                    processor[contender.name].append(spent)
    return {
        "rounds": rounds,
        "load_average": over_rounds(load),
        "servers": {name: over_rounds(clock[name]) for name in clock},
        "processor": {name: over_rounds(processor[name]) for name in processor},
        "ratios": against_assay(clock),
        "processor_ratios": against_assay(processor),
    }


def compiled(contender: Contender, work: Path) -> Contender:
    """Return a contender whose interpreter keeps what it compiled, beside that of all others.

    Else those start quicker whose environment happens to have compiled files in it.
    """
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(work / "bytecode")}
    return replace(contender, environment={**contender.environment, **kept})


def against_assay(seconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return how many times another server's seconds Assay's are, by the other's name."""
    return {name: ratio_over_rounds(seconds["assay"], of) for name, of in seconds.items() if name != "assay"}


def first_answer(contender: Contender, work: Path) -> tuple[float, float]:
    """Return the seconds until a server has answered, and those of processor that it took."""
    with running(contender, work / "logs") as server:
        return server.wait(), processor_of(server.process.pid)


if __name__ == "__main__":
    raise SystemExit(main())
