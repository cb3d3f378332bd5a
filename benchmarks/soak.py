"""Twenty minutes at 70 % of saturation with a swap every ten seconds: ``make soak``.

``--minutes`` makes it shorter. Each answer is compared with what the version that it names gives for its
text; latency and memory are kept for every ten seconds and drawn into docs/soak.png.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.loading import open_registry
from assay.progress import Progress
from benchmarks.load import Answer, drive
from benchmarks.overload import JOINED, TEXTS, saturate
from benchmarks.processes import memory_of
from benchmarks.service import WHO, Bench, facts_of, percentiles, prepare, serving
from benchmarks.sets import ROOT, run

SHARE = 0.7
SWAP_SECONDS = 10.0
BUCKET_SECONDS = 10.0
MINUTES = 20.0
PLOT = ROOT / "docs" / "soak.png"


@dataclass
class Watch:
    """What is kept of a run: answers in buckets of time, memory beside them, versions promoted."""

    bench: Bench
    process: int
    begun: float = field(default_factory=time.perf_counter)
    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: int = 0
    memory: dict[int, int] = field(default_factory=dict)
    swaps: int = 0

    def bucket(self) -> int:
        """Return the bucket of now."""
        return int((time.perf_counter() - self.begun) / BUCKET_SECONDS)

    def see(self, answer: Answer) -> None:
        """Take one answer in."""
        self.codes[str(answer.status)] += 1
        self.seconds[self.bucket()].append(answer.seconds)
        if answer.status == 200 and self.bench.fault(answer):
            self.wrong += 1

    def swap(self) -> None:
        """Bring the other version to production."""
        number = "2" if self.swaps % 2 == 0 else "1"
        open_registry(self.bench.settings).rollback(self.bench.model, number, who=WHO)
        self.swaps += 1


@contextmanager
def swapping(watch: Watch) -> Iterator[None]:
    """Swap, and look at the memory, all the while."""
    ended = threading.Event()

    def swap() -> None:
        while not ended.wait(SWAP_SECONDS):
            watch.memory[watch.bucket()] = memory_of(watch.process)
            watch.swap()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def measure(folder: Path, progress: Progress, minutes: float = MINUTES) -> dict[str, Any]:
    """Return what became of every request, latencies and memory over time."""
    with tempfile.TemporaryDirectory() as home:
        bench = prepare(Path(home), folder / "sms_spam.parquet", progress, texts=TEXTS, joined=JOINED)
        with serving(bench) as (address, process):
            saturation = asyncio.run(saturate(bench, address, 8.0))
            watch = Watch(bench, process.pid)
            with progress.step(f"{minutes:g} minutes at {SHARE:.0%} of saturation"), swapping(watch):
                asyncio.run(
                    drive(
                        address,
                        lambda number: bench.request(address, number),
                        watch.see,
                        seconds=60 * minutes,
                        rate=SHARE * saturation,
                        connections=64,
                    )
                )
    every = [seconds for found in watch.seconds.values() for seconds in found]
    return {
        "bench": facts_of(bench),
        "saturation": round(saturation, 1),
        "rate": round(SHARE * saturation, 1),
        "minutes": minutes,
        "swaps": watch.swaps,
        "codes": dict(watch.codes),
        "wrong": watch.wrong,
        "ms": percentiles(every),
        "buckets": [
            {"at": at * BUCKET_SECONDS, **percentiles(watch.seconds[at]), "memory": watch.memory.get(at)}
            for at in sorted(watch.seconds)
        ],
    }


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw latency and memory over time."""
    from matplotlib.figure import Figure

    minutes = [each["at"] / 60 for each in found["buckets"]]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for name, label in (("p50", "median"), ("p99", "99 %"), ("max", "slowest")):
        upper.plot(minutes, [each[name] for each in found["buckets"]], label=label, linewidth=1)
    upper.set(yscale="log", ylabel="milliseconds", title="Latency of every ten seconds")
    upper.legend(loc="upper right", ncols=3, frameon=False)
    kept = [(each["at"] / 60, each["memory"] / 1e6) for each in found["buckets"] if each["memory"]]
    lower.plot(*zip(*kept, strict=True), color="black", linewidth=1)
    lower.set(ylim=(0, None), xlabel="minutes", ylabel="megabytes", title="Resident memory (PSS)")
    figure.savefig(path, dpi=110)


def main() -> int:
    """Run, write the results and the plot, and return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--plot", type=Path, default=PLOT)
    options, rest = parser.parse_known_args()

    def measured(folder: Path, progress: Progress) -> dict[str, Any]:
        found = measure(folder, progress, options.minutes)
        draw(found, options.plot)
        return found

    return run("soak", __doc__ or "", "sms_spam.parquet", measured, rest)


if __name__ == "__main__":
    raise SystemExit(main())
