"""Where a request's time goes: ``make bench``, or ``python -m benchmarks.profile``.

The service of ``python -m benchmarks.serve`` under the load of 16 connections, its stack noted at every tick
of a timer on its processor (``benchmarks.sampling``). A moment belongs to the innermost frame whose file is
known below; the processor's seconds over the requests make microseconds of it. Beside it: what the same load
takes of the processor with one thing after another turned off.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks import wrk
from benchmarks.contenders import Contender, assay
from benchmarks.intervals import over_rounds
from benchmarks.serve import loaded, rotated, written
from benchmarks.servers import running
from benchmarks.sets import run
from benchmarks.subject import WORK, prepare

CONNECTIONS = 16
PARTS: Mapping[str, Sequence[str]] = {
    "rules and folding": ("/assay/estimators/rules/", "/assay/estimators/folding/"),
    "model": (
        "/assay/estimators/linear.py",
        "/assay/estimators/ngrams.py",
        "/assay/estimators/vocabulary.py",
        "/assay/estimators/kernel/",
    ),
    "decision": ("/assay/estimators/",),
    "keys and rates": ("/assay/access/", "/assay/service/guard.py", "/assay/service/protection.py"),
    "decision log": ("/assay/telemetry/decisions/",),
    "drift": ("/assay/telemetry/drift/",),
    "metrics": ("/assay/telemetry/", "/prometheus_client/"),
    "HTTP connection": ("/assay/service/connections/", "/uvicorn/"),
    "JSON": ("/orjson/", "/json/", "/assay/service/bodies/"),
    "route": ("/assay/service/", "/assay/asgi.py", "/assay/serving/"),
    "Starlette, FastAPI, pydantic": ("/starlette/", "/fastapi/", "/pydantic/", "/anyio/"),
    "event loop": ("/uvloop/", "/asyncio/", "/selectors.py"),
}
"""What a file belongs to, by a part of its path; the first that fits counts."""
OTHER = "anything else"
WITHOUT: Mapping[str, Mapping[str, object]] = {
    "without the decision log": {"decision_log": False},
    "without the watch on drift": {"drift": False},
    "without keys and rates": {"require_keys": False},
}
"""What is turned off, and by which setting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    return run("profile", __doc__ or "", "imdb_train.parquet", partial(measure, options=options), rest)


def measure(folder: Path, progress: Progress, *, options: argparse.Namespace) -> dict[str, Any]:
    """Return the microseconds of each part, and of a request with things turned off."""
    wrk.check_installed()
    contender = assay(prepare(folder, options.work, progress))
    seconds, rounds = (3.0, 2) if options.quick else (10.0, 5)
    with progress.step("note stacks"):
        sets = {name: sampled(contender, name, options.work, seconds) for name in contender.sets}
    with progress.step("turn things off"):
        costs = turned_off(contender, options.work, seconds / 2, rounds)
    return {"connections": CONNECTIONS, "seconds": seconds, "sets": sets, "costs": costs}


def sampled(contender: Contender, name: str, work: Path, seconds: float) -> dict[str, Any]:
    """Return what was seen of a service under load with one set of texts."""
    out = work / f"stacks-{name}.json"
    out.unlink(missing_ok=True)
    watched = replace(
        contender,
        name="assay-sampled",
        command=[sys.executable, "-m", "benchmarks.sampling", str(out), "serve", "--port", "{port}"],
    )
    with running(watched, work / "logs") as server:
        server.wait()
        bodies = written(watched, name, work)
        loaded(server, bodies, CONNECTIONS, 1.0)
        before = threads_of(server.process.pid)
        os.kill(server.process.pid, signal.SIGUSR1)
        load = loaded(server, bodies, CONNECTIONS, seconds)
        os.kill(server.process.pid, signal.SIGUSR2)
        after = threads_of(server.process.pid)
        while not out.is_file():
            time.sleep(0.05)
    took = [after[thread] - before.get(thread, 0.0) for thread in sorted(after, key=int)]
    return summary(json.loads(out.read_text(encoding="utf-8")), load["requests"], took)


def threads_of(process: int) -> dict[str, float]:
    """Return the seconds of processor of each thread of a process."""
    ticks, found = os.sysconf("SC_CLK_TCK"), {}
    for folder in Path(f"/proc/{process}/task").iterdir():
        fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        found[folder.name] = (int(fields[11]) + int(fields[12])) / ticks
    return found


def summary(stacks: Sequence[Any], requests: int, threads: Sequence[float]) -> dict[str, Any]:
    """Return microseconds a request of each part of the main thread, and of the threads beside it."""
    seen: Counter[str] = Counter()
    for stack, count in stacks:
        seen[part_of(stack)] += count
    samples, first = sum(seen.values()), threads[0] if threads else 0.0
    return {
        "requests": requests,
        "samples": samples,
        "parts": {
            part: round(1e6 * first * count / max(samples, 1) / max(requests, 1), 2)
            for part, count in seen.most_common()
        },
        "main_thread": round(1e6 * first / max(requests, 1), 2),
        "other_threads": round(1e6 * sum(threads[1:]) / max(requests, 1), 2),
    }


def part_of(stack: Sequence[str]) -> str:
    """Return what the innermost frame belongs to whose file is known."""
    for frame in stack:
        for part, paths in PARTS.items():
            if any(path in frame for path in paths):
                return part
    return OTHER


def turned_off(contender: Contender, work: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Return the processor's microseconds of a request, with all on and with one thing off."""
    variants = [contender]
    for name, settings in WITHOUT.items():
        told = {f"ASSAY_{key.upper()}": str(value) for key, value in settings.items()}
        variants.append(replace(contender, name=name, environment={**contender.environment, **told}))
    found: dict[str, list[float]] = {each.name: [] for each in variants}
    for number in range(rounds):
        for variant in rotated(variants, number):
            with running(variant, work / "logs") as server:
                server.wait()
                bodies = written(variant, "long", work)
                loaded(server, bodies, CONNECTIONS, 1.0)
                found[variant.name].append(loaded(server, bodies, CONNECTIONS, seconds)["processor_us"])
    return {name: over_rounds(several) for name, several in found.items()}


if __name__ == "__main__":
    raise SystemExit(main())
