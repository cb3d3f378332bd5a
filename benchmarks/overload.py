"""What twice too many requests do to the service: ``make bench``, or ``python -m benchmarks.overload``.

A text is twenty messages, so that the load, in Python on the same machine, can send twice what is answered.
Saturation is found by 16 connections that ask without a pause. Then requests come on a timetable: half as
many a second, twice as many, half as many again. Each latency counts from when its request was to leave.
"""

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks.load import Answer, drive
from benchmarks.processes import memory_of
from benchmarks.service import (
    Bench,
    counted,
    facts_of,
    percentiles,
    prepare,
    serving,
    status_of,
)
from benchmarks.sets import run

TEXTS, JOINED = 80, 60
"""Texts, and the messages that each is joined of."""
SATURATING = 16
SATURATION_SECONDS = 8.0
CONNECTIONS = 256
PHASES = (("half", 0.5, 5.0), ("twice", 2.0, 20.0), ("half again", 0.5, 5.0))
"""Name, requests a second as a multiple of saturation, seconds."""
PROBED = ("/health/live", "/health", "/metrics")
PROBE_SECONDS = 0.2


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return saturation, and for each phase what was answered, how fast, and what memory it took."""
    with tempfile.TemporaryDirectory() as home:
        bench = prepare(Path(home), folder / "sms_spam.parquet", progress, texts=TEXTS, joined=JOINED)
        with serving(bench) as (address, process):
            asyncio.run(saturate(bench, address, 2.0))
            with progress.step("find saturation"):
                saturation = asyncio.run(saturate(bench, address, SATURATION_SECONDS))
            before, phases = memory_of(process.pid), {}
            for name, multiple, seconds in PHASES:
                with progress.step(f"{name}: {multiple} times saturation for {seconds:.0f} s"):
                    phases[name] = phase(bench, address, multiple * saturation, seconds)
                phases[name]["memory"] = memory_of(process.pid)
    return {
        "bench": facts_of(bench),
        "connections": CONNECTIONS,
        "saturation": round(saturation, 1),
        "memory_before": before,
        "phases": phases,
    }


async def saturate(bench: Bench, address: str, seconds: float, connections: int = SATURATING) -> float:
    """Return how many requests a second are answered where each connection asks without a pause."""
    answers: list[Answer] = []
    await drive(
        address,
        lambda number: bench.request(address, number),
        answers.append,
        seconds=seconds,
        connections=connections,
    )
    if faults := [each for each in answers if each.status != 200]:
        raise RuntimeError(f"{len(faults)} of {len(answers)} requests were refused, first: {faults[0]}")
    return len(answers) / seconds


def phase(bench: Bench, address: str, rate: float, seconds: float) -> dict[str, Any]:
    """Return what became of requests that came at a rate, over all and second by second."""
    answers: list[Answer] = []
    with probing(bench, address) as probes:
        asyncio.run(
            drive(
                address,
                lambda number: bench.request(address, number),
                answers.append,
                seconds=seconds,
                rate=rate,
                connections=CONNECTIONS,
            )
        )
    begun = min(each.due for each in answers)
    first = [each for each in answers if each.due < begun + 1]
    accepted = [each for each in answers if each.status == 200]
    return {
        "rate": round(rate, 1),
        "seconds": seconds,
        "sent": len(answers),
        "codes": counted(answers),
        "accepted_per_second": round(len(accepted) / seconds, 1),
        "accepted_ms": percentiles([each.seconds for each in accepted]),
        "refused_ms": percentiles([each.seconds for each in answers if each.status == 503]),
        "wrong": sum(bench.fault(each) is not None for each in accepted),
        "first_second": {
            "codes": counted(first),
            "accepted_ms": percentiles([each.seconds for each in first if each.status == 200]),
        },
        "probes": {path: summed(found) for path, found in probes.items()},
    }


Probes = dict[str, list[tuple[int, float]]]


@contextmanager
def probing(bench: Bench, address: str) -> Iterator[Probes]:
    """Ask for health and metrics all the while; give status and seconds of each answer by path."""
    found: Probes = {path: [] for path in PROBED}
    ended, headers = threading.Event(), {"Authorization": f"Bearer {bench.key}"}

    def probe() -> None:
        while not ended.wait(PROBE_SECONDS):
            for path, answers in found.items():
                begun = time.perf_counter()
                answers.append((status_of(address + path, headers), time.perf_counter() - begun))

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def summed(found: list[tuple[int, float]]) -> dict[str, Any]:
    """Return how often a probe was answered well, and its slowest answer in milliseconds."""
    return {
        "asked": len(found),
        "answered": sum(status == 200 for status, _ in found),
        "max_ms": round(1e3 * max((seconds for _, seconds in found), default=0.0), 1),
    }


if __name__ == "__main__":
    raise SystemExit(run("overload", __doc__ or "", "sms_spam.parquet", measure))
