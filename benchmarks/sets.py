"""The sets that are measured on, the splits of them, and the file that a program writes."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.config import Task, read_task
from assay.datasets import Dataset, load_dataset
from assay.progress import Progress
from assay.provenance import library_versions

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results"
SALTS = ("1", "2", "3", "4", "5")
"""Of the splits over which a figure is pooled or averaged."""

Measure = Callable[[Path, Progress], Mapping[str, Any]]


def run(
    name: str, what: str, needs: str | None, measure: Measure, arguments: Sequence[str] | None = None
) -> int:
    """Measure, write ``benchmarks/results/<name>.json`` and return the exit code.

    Without the file ``needs`` in the folder of the sets nothing is measured or written; None needs no set.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=what.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the sets (%(default)s)")
    parser.add_argument(
        "--results", type=Path, default=RESULTS / f"{name}.json", help="file to write (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if needs and not (options.data / needs).is_file():
        print(f"Nothing was measured: shared data is absent (there is no {options.data}).", file=sys.stderr)
        return 0
    results = {"machine": machine(), **measure(options.data, Progress())}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {options.results}; `make figures` puts it into the documentation.")
    return 0


def machine() -> dict[str, Any]:
    """Return what a figure was measured with."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), **library_versions()}


def task_named(name: str) -> Task:
    """Return a task of the folder ``tasks``."""
    return read_task(ROOT / "tasks" / f"{name}.toml")


def load(task: Task, source: Path, progress: Progress, salt: str = "") -> Dataset:
    """Return a task's rows from another source."""
    data = task.data.model_copy(update={"source": str(source), "salt": salt})
    with tempfile.TemporaryDirectory() as home:
        return load_dataset(data, name=task.name, labels=task.labels, home=Path(home), progress=progress)


def facts(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says of its rows."""
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "counts": dataset.counts(),
        "audit": dataset.audit.to_dict(),
    }
