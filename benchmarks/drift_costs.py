"""What the watch on drift costs a decision."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from assay.estimators import Cascade, Observation, profile_from, unknown_shares
from assay.telemetry import BLOCK, DriftMonitor, Watch
from assay.telemetry.decisions.record import Record
from benchmarks.streams import Population

BATCHES = (1, 10, 100, 1000)
PASSES = 30


class _Nothing:
    def drift(self, *_: object) -> None:
        """Count nothing."""


def costs(cascade: Cascade, texts: Sequence[str], seen: Sequence[Observation]) -> dict[str, Any]:
    """Return microseconds of processor time a decision: counted, its unknown words looked up, compared."""
    profile = profile_from(cascade, seen[:10_000])
    records = [record(each) for each in seen[:1000]]
    monitor = DriftMonitor(lambda *_: profile, _Nothing())
    population = Population(profile, seen[:10_000])
    rng, watch = np.random.default_rng(0), Watch(profile)
    blocks = [population.draw(BLOCK, rng) for _ in range(PASSES)]

    def look() -> None:
        for block in blocks:
            watch.advance(BLOCK, block, 0.0)

    return {
        "observe": {size: timed(partial(monitor.observe, records[:size]), size) for size in BATCHES},
        "unknown": {
            size: timed(partial(unknown_shares, cascade.model, texts[:size]), size) for size in BATCHES
        },
        "look": timed(look, BLOCK * PASSES),
    }


def record(seen: Observation) -> Record:
    """Return a record of the log with what was seen."""
    return Record(at=0.0, id="0" * 32, task="sentiment", model="M", version="1", **seen._asdict())


def timed(call: Callable[[], object], decisions: int) -> dict[str, float]:
    """Return microseconds a decision: the median of passes and the middle nine tenths."""
    repeats = max(1, 200 // decisions)
    passes = []
    for _ in range(PASSES):
        started = time.thread_time()
        for _ in range(repeats):
            call()
        passes.append((time.thread_time() - started) / repeats / decisions * 1e6)
    return {
        "median": median(passes),
        "p5": float(np.quantile(passes, 0.05)),
        "p95": float(np.quantile(passes, 0.95)),
    }
