"""A transformer encoder over HTTP: Assay, and FastAPI + torch as people write it, in the same run.

``python -m benchmarks.serve_encoder [--base FOLDER]``. Both answer IMDB texts, of which they read 256 tokens,
on 64 connections without a pause. The peer has one text a call and two threads of torch. Assay has keys,
rates, decision log and metrics on, and its cache of decisions off. One more row each has the cache on and
texts that come again as words do (Zipf). Every round starts each server once, in turn.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assay.progress import Progress
from benchmarks import wrk
from benchmarks.contenders import DELAY_MS, IN_FLIGHT, Contender
from benchmarks.encoder_subject import TOKENS, EncoderSubject, prepare, repeated
from benchmarks.serve import loaded, rotated, written
from benchmarks.servers import Server, running
from benchmarks.sets import ROOT, run
from benchmarks.subject import WORK, Row, Sets

CONNECTIONS = 64
THREADS = 2
"""Of torch, in each call of the peer."""
PEER = "fastapi-torch"
LIBRARIES = ("torch", "transformers", "fastapi", "onnxruntime", "tokenizers")
WARM_SECONDS = 3.0
CLOSE = {"assay-fp32": 1e-3, "assay-fp32-cached": 1e-3, PEER: 1e-3}
"""How far a probability may lie from the one of fp32; int8 has its own bound in its artifact."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--base", type=Path, default=ROOT / ".assay" / "models" / "minilm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--work", type=Path, default=WORK)
    options, rest = parser.parse_known_args(arguments)
    return run("serve_encoder", __doc__ or "", "imdb_test.parquet", partial(measure, options=options), rest)


def measure(folder: Path, progress: Progress, *, options: argparse.Namespace) -> dict[str, Any]:
    """Return what each server gave in each round."""
    wrk.check_installed()
    subject = prepare(folder, options.base, options.work, progress)
    contenders, rounds = contenders_of(subject), []
    for number in range(options.rounds):
        with progress.step(f"round {number + 1} of {options.rounds}"):
            cells = [cell_of(each, options) for each in rotated(contenders, number)]
        rounds.append({"load_average": os.getloadavg()[0], "cells": cells})
    return {
        "settings": {
            "base": options.base.name,
            "tokens": TOKENS,
            "connections": CONNECTIONS,
            "threads": THREADS,
            "rounds": options.rounds,
            "seconds": options.seconds,
            "cores": len(os.sched_getaffinity(0)),
        },
        "versions": {name: version(name) for name in LIBRARIES},
        "rounds": rounds,
    }


def contenders_of(subject: EncoderSubject) -> list[Contender]:
    """Return the servers that are measured."""
    again: Sets = {"long": repeated(subject.sets["long"])}
    return [
        peer(subject),
        *(assay(subject, f"assay-{name}", name, subject.sets) for name in subject.artifacts),
        *(assay(subject, f"assay-{name}-cached", name, again, cache=100_000) for name in subject.artifacts),
    ]


def assay(subject: EncoderSubject, name: str, precision: str, sets: Sets, *, cache: int = 0) -> Contender:
    """Return ``assay serve`` over one artifact, with one worker."""
    told: dict[str, object] = {
        "home": subject.settings.home,
        "models": subject.artifacts[precision],
        "require_keys": True,
        "max_in_flight": IN_FLIGHT,
        "max_delay_ms": DELAY_MS,
        "encoder_cache_entries": cache,
    }
    return Contender(
        name=name,
        command=[sys.executable, "-m", "assay.cli", "serve", "--port", "{port}"],
        path="/predict",
        sets=sets,
        environment={f"ASSAY_{key.upper()}": str(value) for key, value in told.items()},
        headers={"Authorization": f"Bearer {subject.key}"},
        parse=lambda answer: (answer["label"], answer["confidence"]),
        checked=False,
    )


def peer(subject: EncoderSubject) -> Contender:
    """Return FastAPI + torch with one worker."""
    command = ["-m", "uvicorn", "benchmarks.encoder_peer:app", "--port", "{port}", "--no-access-log"]
    return Contender(
        name=PEER,
        command=[sys.executable, *command],
        path="/predict",
        sets=subject.sets,
        environment={
            "ENCODER": str(subject.classifier),
            "THREADS": str(THREADS),
            "TOKENS": str(TOKENS),
        },
        checked=False,
    )


def cell_of(contender: Contender, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a server gave, started for it, asked for a few texts and then loaded."""
    with running(contender, options.work / "logs") as server:
        server.wait()
        apart = furthest(server, contender.sets["long"][:10])
        bodies = written(contender, "long", options.work)
        loaded(server, bodies, CONNECTIONS, WARM_SECONDS)
        found = loaded(server, bodies, CONNECTIONS, options.seconds)
    if apart > CLOSE.get(contender.name, 1.0):
        raise ValueError(f"{contender.name} answers {apart:.2g} away from the encoder itself")
    return {"server": contender.name, "connections": CONNECTIONS, "apart": apart, **found}


def furthest(server: Server, rows: Sequence[Row]) -> float:
    """Return how far the probabilities of the second label lie from those of the encoder in fp32."""
    found: list[float] = []
    with closing(server.client()) as client:
        for row in rows:
            label, probability = server.answer(client, row)
            same = probability if label == row.label else 1.0 - probability
            found.append(abs(same - row.probability))
    return max(found)


if __name__ == "__main__":
    raise SystemExit(main())
