"""Requests a second and latencies over HTTP, side by side: ``make bench``, or ``python -m benchmarks.serve``.

Assay with everything on, an endpoint that returns a constant, the plain FastAPI + scikit-learn of
``../shared/bench`` and, with ``--others``, further servers of Python models. Every round starts each server
once, in turn, checks its answers, loads it with wrk (one thread, keep-alive, the same texts in the same
order) and checks them again. ``--stalls`` counts answers over 20 ms in five minutes of load.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks import wrk
from benchmarks.contenders import CONSTANT, CORE, OTHERS, Contender, assay, peers, versions
from benchmarks.processes import machine_processor, processor_of
from benchmarks.servers import CHECKED, TOLERANCE, Server, running
from benchmarks.sets import run
from benchmarks.subject import SHIPPED, WORK, Subject, facts_in, prepare, shipped

CONNECTIONS = (1, 16, 64)
QUICK_CONNECTIONS = (16,)
STALLING = 16
"""Connections while stalls are counted."""
SLICE_SECONDS = 60.0
"""How long one server is loaded before it is the other's turn, while stalls are counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--stalls", action="store_true")
    parser.add_argument("--no-shipped", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (2.0 if options.quick else 5.0)
    return run("serve", __doc__ or "", "imdb_train.parquet", partial(measure, options=options), rest)


def measure(folder: Path, progress: Progress, *, options: argparse.Namespace) -> dict[str, Any]:
    """Return what each server gave in each round, and how many stalls."""
    wrk.check_installed()
    subject = prepare(folder, options.work, progress)
    contenders = contenders_of(subject, folder, options, progress)
    connections = QUICK_CONNECTIONS if options.quick else CONNECTIONS
    found: dict[str, Any] = {
        "subject": facts_of(subject, options.work),
        "versions": versions(options.work, [each.name for each in contenders]),
        "settings": {
            "rounds": options.rounds,
            "seconds": options.seconds,
            "connections": list(connections),
            "checked": CHECKED,
            "tolerance": TOLERANCE,
        },
        "rounds": [],
    }
    for number in range(options.rounds):
        with progress.step(f"round {number + 1} of {options.rounds}"):
            cells = list(one_round(rotated(contenders, number), connections, options))
        found["rounds"].append({"load_average": os.getloadavg()[0], "cells": cells})
    if options.stalls:
        with progress.step("count stalls"):
            pair = [each for each in contenders if each.name in ("assay", CONSTANT)]
            found["stalls"] = stalls(pair, options)
    return found


def contenders_of(
    subject: Subject, folder: Path, options: argparse.Namespace, progress: Progress
) -> list[Contender]:
    """Return the servers that are to be measured."""
    chosen = [assay(subject), assay(subject, name="assay-2w", workers=2)]
    names = [*CORE, *(OTHERS if options.others else ())]
    if options.only:
        names = [name for name in (*CORE, *OTHERS, "fastapi-2w", "litserve-2w") if name in options.only]
        chosen = [each for each in chosen if each.name in options.only]
    chosen += peers(names, options.work, subject.sets)
    for name in () if options.no_shipped else SHIPPED:
        if not options.only or f"assay-{name}" in options.only:
            task = shipped(name, folder, options.work, subject.sets, progress)
            chosen.append(assay(task, name=f"assay-{name}"))
    return chosen


def rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    """Return them with another one first in each round, so that none always follows the same one."""
    at = number % len(contenders)
    return [*contenders[at:], *contenders[:at]]


def one_round(
    contenders: Sequence[Contender], connections: Sequence[int], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Return what each server gave, one after another."""
    for contender in contenders:
        with running(contender, options.work / "logs") as server:
            server.wait()
            server.check()
            for name in contender.sets:
                bodies = written(contender, name, options.work)
                for count in connections:
                    loaded(server, bodies, count, 1.0)
                    yield {
                        "server": contender.name,
                        "set": name,
                        "connections": count,
                        **loaded(server, bodies, count, options.seconds),
                    }
            server.check()


def written(contender: Contender, name: str, work: Path) -> Path:
    """Return a file with the bodies of a set's requests, one a line."""
    path = work / f"bodies-{contender.name}-{name}.jsonl"
    bodies = [json.dumps(contender.body(row.text)) for row in contender.sets[name]]
    path.write_text("\n".join(bodies) + "\n", encoding="utf-8")
    return path


def loaded(server: Server, bodies: Path, connections: int, seconds: float) -> dict[str, Any]:
    """Return what a server gave under load, and what of the machine it, the load and all others took.

    Raises RuntimeError where any request failed.
    """
    contender = server.contender
    before = processor_of(server.process.pid), os.times(), machine_processor(), time.perf_counter()
    load = wrk.drive(
        server.port,
        contender.path,
        bodies,
        connections=connections,
        seconds=seconds,
        headers=contender.headers,
    )
    after = processor_of(server.process.pid), os.times(), machine_processor(), time.perf_counter()
    if load.errors:
        raise RuntimeError(f"{load.errors} of {load.requests} requests to {contender.name} failed")
    took, own, wall = after[0] - before[0], after[2] - before[2], after[3] - before[3]
    generator = sum(after[1][2:4]) - sum(before[1][2:4])
    return {
        **load.summary(),
        "requests": load.requests,
        "processor_us": round(1e6 * took / max(load.requests, 1), 1),
        "cores": {
            "server": round(took / wall, 2),
            "load": round(generator / wall, 2),
            "others": round(max(0.0, own - took - generator) / wall, 2),
        },
    }


def stalls(pair: Sequence[Contender], options: argparse.Namespace) -> dict[str, Any]:
    """Return how many answers took over 20 ms in the minutes of each server, which take turns."""
    slices, seconds = (2, 5.0) if options.quick else (5, SLICE_SECONDS)
    found: dict[str, Any] = {"seconds": slices * seconds, "servers": {each.name: [] for each in pair}}
    with ExitStack() as stack:
        servers = []
        for each in pair:
            # One after the other: a port is free until its server has taken it.
            server = stack.enter_context(running(each, options.work / "logs"))
            server.wait()
            server.check()
            loaded(server, written(each, "long", options.work), STALLING, 2.0)
            servers.append(server)
        for number in range(slices):
            for server in servers if number % 2 else servers[::-1]:
                cell = loaded(server, written(server.contender, "long", options.work), STALLING, seconds)
                found["servers"][server.contender.name].append(cell)
    return found


def facts_of(subject: Subject, work: Path) -> dict[str, Any]:
    """Return what a report says of the subject."""
    cascade = subject.cascade()
    sizes = {
        name: round(sum(len(row.text.encode()) for row in rows) / len(rows), 1)
        for name, rows in subject.sets.items()
    }
    texts = {name: len(rows) for name, rows in subject.sets.items()}
    return {**facts_in(work), "rules": len(cascade.rules.active), "texts": texts, "mean_bytes": sizes}


if __name__ == "__main__":
    raise SystemExit(main())
