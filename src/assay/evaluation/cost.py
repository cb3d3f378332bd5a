"""What a version costs on this machine: time, memory, size."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from assay.estimators import read_manifest
from assay.evaluation.footprint import measure_footprint
from assay.evaluation.metrics import Floats
from assay.frozen import Frozen

if TYPE_CHECKING:
    from assay.estimators import Cascade

ALONE, TOGETHER = 200, 1000
"""Texts that are timed one at a time, and in one call, at most."""
WARM_UP = 20
FEWEST, PASSES, SECONDS = 3, 5, 2.0
"""Every text is timed in so many passes; in fewer, from three on, once they took so long together."""
MB = 1_000_000
UNCOUNTED = {"report.json", "profile.json"}
"""No parts of the size: they are attached after it was measured, and one artifact has one size."""


class Cost(Frozen):
    """Time and memory of an artifact on one machine, and the size of its folder."""

    machine: str
    texts: int = Field(ge=0)
    """Held-out texts that were timed, one at a time."""
    median_ms: float | None = Field(None, ge=0)
    p99_ms: float | None = Field(None, ge=0)
    """Percentiles over texts that are decided alone, the fastest of several passes; None without texts."""
    texts_per_second: float | None = Field(None, ge=0)
    """In one call with many texts, on one thread."""
    load_ms: float = Field(ge=0)
    memory_bytes: int | None = Field(None, ge=0)
    """What loading it and deciding adds to a process; None where the system does not tell."""
    size_bytes: int = Field(ge=0)

    @property
    def memory_mb(self) -> float | None:
        """The memory in millions of bytes."""
        return None if self.memory_bytes is None else self.memory_bytes / MB

    @property
    def size_mb(self) -> float:
        """The size in millions of bytes."""
        return self.size_bytes / MB

    def lines(self) -> Iterator[str]:
        """Yield one line for people."""
        parts = []
        if self.median_ms is not None and self.p99_ms is not None:
            parts.append(f"{self.median_ms:.2f} ms a text (99th percentile {self.p99_ms:.2f} ms)")
        if self.texts_per_second is not None:
            parts.append(f"{self.texts_per_second:,.0f} texts a second in one call")
        parts.append(f"loaded in {self.load_ms:,.0f} ms")
        if self.memory_mb is not None:
            parts.append(f"{self.memory_mb:,.1f} MB of memory")
        yield f"Cost here: {', '.join(parts)}, {self.size_mb:,.1f} MB on disk"


def measure_cost(
    cascade: "Cascade",
    folder: Path,
    texts: Sequence[str],
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> Cost:
    """Return what the artifact of a folder costs on this machine.

    - one text alone: at most 200 of the texts, spread evenly, each decided by a call of its own, in three
      to five passes after a warm-up; a text's time is that of its fastest pass, since slower ones tell of
      what else the machine does (as Python's ``timeit`` has it); median and 99th percentile of these times
    - many texts: at most 1,000 in one call, the fastest of as many passes
    - loading and memory: in a process of its own, see ``measure_footprint``
    - size: all files of the manifest, and the manifest, without report and profile, which are attached later

    Parameters
    ----------
    cascade : the one that was loaded from ``folder``
    folder : of the artifact
    texts : held-out texts; none leave the times undefined
    timer : seconds, rising

    Raises ArtifactError when the folder cannot be loaded in a process of its own.
    """
    alone, together = _spread(texts, ALONE), _spread(texts, TOGETHER)
    cascade.decide(alone[:WARM_UP])
    times = _times([[text] for text in alone], cascade, timer) * 1000
    batch = _times([together] if together else [], cascade, timer)
    footprint = measure_footprint(folder, alone)
    return Cost(
        machine=this_machine(),
        texts=len(alone),
        median_ms=float(np.median(times)) if times.size else None,
        p99_ms=float(np.percentile(times, 99)) if times.size else None,
        texts_per_second=float(len(together) / batch[0]) if batch.size and batch[0] > 0 else None,
        load_ms=footprint.load_ms,
        memory_bytes=footprint.memory_bytes,
        size_bytes=_size(folder),
    )


def this_machine() -> str:
    """Return the processor, the number of processors that may be used, the system and Python, without names.

    >>> this_machine().endswith(f"Python {platform.python_version()}")
    True
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = f"{count} core{'' if count == 1 else 's'}"
    return f"{_processor()}, {cores}, {platform.system()}, Python {platform.python_version()}"


def _processor(table: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's model where the system tells, else its kind."""
    if table.is_file():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return " ".join(value.split())
    return platform.machine()


def _spread(texts: Sequence[str], most: int) -> list[str]:
    """Return at most so many of the texts, spread evenly."""
    count = min(len(texts), most)
    return [texts[place * len(texts) // count] for place in range(count)]


def _times(calls: Sequence[list[str]], cascade: "Cascade", timer: Callable[[], float]) -> Floats:
    """Return the seconds of each call, the fastest of several passes over all of them."""
    passes: list[list[float]] = []
    while len(passes) < FEWEST or (len(passes) < PASSES and sum(map(sum, passes)) < SECONDS):
        passes.append([_seconds(texts, cascade, timer) for texts in calls])
    times: Floats = np.array(passes, float).min(axis=0)
    return times


def _seconds(texts: list[str], cascade: "Cascade", timer: Callable[[], float]) -> float:
    started = timer()
    cascade.decide(texts)
    return timer() - started


def _size(folder: Path) -> int:
    names = {"manifest.json", *read_manifest(folder).files} - UNCOUNTED
    return sum((folder / name).stat().st_size for name in names)
