"""What the gate sees and what it takes: ``make bench``, or ``python -m benchmarks.gate``.

No set is needed: versions are made up, so that it is known which is better. Their decisions on held-out
rows are drawn, and the gate's own comparison (``not_lower`` on paired bootstraps of 1,000 resamples) says
whether the candidate falls. F1 and accuracy are compared, as in a task that names nothing else.
"""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from assay.config import GatePolicy, parse_task
from assay.datasets import Rows
from assay.estimators import Cascade, Judged, OperatingPoint
from assay.evaluation import Grouping, PairedComparison, Report, compare_cells, evaluate
from assay.evaluation.rowwise import pack
from assay.gate import decide_gate, not_lower
from assay.progress import Progress
from benchmarks.intervals import share
from benchmarks.pairs import Counts, Pair, worst
from benchmarks.sets import run

DRAWS = 1000
POWER, POWER_DRAWS, STEPS = 0.8, 300, 6
ROWS = (500, 1000, 2000, 5000, 10_000, 25_000)
RATE_ROWS = (500, 2000, 10_000)
POSITIVES = (0.5, 0.1)
F1S = (0.8, 0.9, 0.95)
DIFFER = (0.02, 0.1, 0.2)
"""Of the rows on which only one version is right: how many there are for each positive row."""
CHANGES = (0.01, 0.0, -0.005, -0.01, -0.02, -0.05)
SLICES = 4
POLICIES = {
    "point": GatePolicy(),
    "point_less_0.01": GatePolicy(max_regression=0.01),
    "significant": GatePolicy(regression="significant"),
}
TIMED_ROWS, REPEATS = 25_000, 7


def measure(_: Path, progress: Progress) -> dict[str, Any]:
    """Return the seconds of a decision, the rates of wrong ones, and the differences that are seen."""
    with progress.step("time decisions"):
        speed = [timed(labels) for labels in (2, 20)]
    with progress.step("draw held-out sets"):
        wrong = list(rates())
    with progress.step("search for what is seen"):
        return {"speed": speed, "draws": DRAWS, "rates": wrong, "power": powers()}


def blocks(policy: GatePolicy, cells: Counts, *, whole: bool = True) -> bool:
    """Return whether the gate blocks by counts of rows; within a slice what is undefined is left out.

    The bootstrap is drawn only where it can matter: what is not lower passes under either rule.
    """
    point = policy.model_copy(update={"regression": "point"})
    if not _falls(point, compare_cells(cells, positive=1, resamples=1), whole=whole):
        return False
    return policy.regression == "point" or _falls(policy, compare_cells(cells, positive=1), whole=whole)


def _falls(policy: GatePolicy, comparison: PairedComparison, *, whole: bool) -> bool:
    verdicts = [not_lower(policy, metric, comparison) for metric in policy.compared]
    return not all(verdicts) if whole else False in verdicts


def rates() -> Iterator[dict[str, Any]]:
    """Yield for each pair of versions how often each rule blocks the candidate, without slices and with."""
    for positives in POSITIVES:
        for rows in RATE_ROWS:
            for change in CHANGES:
                pair = Pair(positives, 0.9, positives / 10, change)
                yield {**pair.facts(), "rows": rows, "blocked": blocked(pair, rows, DRAWS)}


def blocked(pair: Pair, rows: int, draws: int) -> dict[str, dict[str, Any]]:
    """Return the share of held-out sets on which each rule blocks, with its exact interval."""
    rng = np.random.default_rng([rows, round(1e4 * pair.positives), round(1e4 * (1 + pair.change))])
    counts = {f"{rule}{where}": 0 for rule in POLICIES for where in ("", "_slices")}
    parts = [pair.drawn(rows // SLICES, draws, rng) for _ in range(SLICES)]
    for cells in zip(*parts, strict=True):
        for rule, policy in POLICIES.items():
            whole = blocks(policy, np.sum(cells, axis=0))
            counts[rule] += whole
            counts[f"{rule}_slices"] += whole or any(blocks(policy, each, whole=False) for each in cells)
    return {name: share(hits, draws) for name, hits in counts.items()}


def powers() -> list[dict[str, Any]]:
    """Return for each number of rows and each kind of pair the smallest fall of F1 that is mostly seen."""
    return [
        {
            "positives": positives,
            "rows": rows,
            "f1": f1,
            "differ": round(positives * differ, 6),
            "seen": smallest_seen(positives, f1, positives * differ, rows),
        }
        for positives in POSITIVES
        for rows in ROWS
        for f1 in F1S
        for differ in DIFFER
    ]


def smallest_seen(
    positives: float, f1: float, differ: float, rows: int, draws: int = POWER_DRAWS
) -> float | None:
    """Return the smallest fall of F1 that ``significant`` blocks in 80 % of the held-out sets, by bisection.

    None where it does not even block a candidate that is wrong on every row on which the two differ.
    """
    low, high = 0.0, worst(positives, differ)
    if not seen(Pair(positives, f1, differ, high), rows, draws):
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        pair = Pair(positives, f1, differ, middle)
        # Versions that differ more than production errs exist only where the candidate is worse.
        low, high = (low, middle) if pair.exists() and seen(pair, rows, draws) else (middle, high)
    return round(-high, 6)


def seen(pair: Pair, rows: int, draws: int) -> bool:
    """Return whether ``significant`` blocks the candidate in at least 80 % of the held-out sets."""
    needed, policy = math.ceil(POWER * draws), POLICIES["significant"]
    hits = misses = 0
    for cells in pair.drawn(rows, draws, np.random.default_rng(rows)):
        stopped = blocks(policy, cells)
        hits, misses = hits + stopped, misses + (not stopped)
        if hits >= needed or misses > draws - needed:
            break
    return hits >= needed


class Known(Cascade):
    """A cascade that gives each text the label that it begins with, nine times in ten."""

    def judge(self, texts: Sequence[str]) -> Judged:
        """Return decisions with made-up probabilities."""
        rng = np.random.default_rng(len(self.version))
        numbers = np.array([int(text.split()[0]) for text in texts], dtype=np.int64)
        off = rng.random(len(texts)) < 0.1
        numbers[off] = rng.integers(0, len(self.labels), int(off.sum()))
        scores = np.eye(len(self.labels))[numbers] * 0.9 + 0.1 / len(self.labels)
        return Judged([self.labels[number] for number in numbers], scores, np.full(len(texts), -1))


def timed(labels: int) -> dict[str, Any]:
    """Return the seconds of a decision about two reports of many rows and their slices."""
    candidate, champion = (made_up(labels, version) for version in ("12", "7"))
    policy = GatePolicy(min_f1=0, slices=("length", "source"), max_flips=1)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        decision = decide_gate(policy, candidate, champion)
        times.append(time.perf_counter() - started)
    return {
        "rows": candidate.rows,
        "labels": labels,
        "slices": len(decision.slices),
        "checks": len(decision.checks),
        "seconds": {"median": median(times), "worst": max(times)},
    }


def made_up(labels: int, version: str) -> Report:
    """Return the report of a made-up version on made-up rows, sliced two ways."""
    names = [f"label-{number:02}" for number in range(labels)]
    values = {"name": "made-up", "labels": names, "positive": names[-1], "data": {"source": "made-up"}}
    point = OperatingPoint(threshold=0.5 if labels == 2 else None, goal="fixed")
    model: Any = None
    cascade = Known(
        task=parse_task(values, source="a benchmark"), model=model, operating_point=point, version=version
    )
    texts = [f"{number % labels} text {number}" for number in range(TIMED_ROWS)]
    rows = Rows(texts, [names[int(text.split()[0])] for text in texts])
    report = evaluate(
        cascade,
        rows,
        dataset={"name": "made-up", "fingerprint": ""},
        resamples=20,
        progress=Progress(quiet=True),
    )
    held = report.rowwise
    groups = {name: sliced(number) for name, number in (("length", 4), ("source", 21))}
    return report.model_copy(update={"rowwise": held and held.model_copy(update={"groups": groups})})


def sliced(values: int) -> Grouping:
    """Return rows dealt to a number of slices."""
    numbers = np.arange(TIMED_ROWS) % values
    return Grouping(values=tuple(f"slice {number}" for number in range(values)), rows=pack(numbers))


if __name__ == "__main__":
    sys.exit(run("gate", __doc__ or "", None, measure))
