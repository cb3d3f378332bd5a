"""What loading an artifact takes in a process that has nothing else: time and memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from assay.estimators import load_artifact, uncompiled
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

LIMIT_SECONDS = 300
LAZY = ("encodings.utf_8_sig", "mmap", "safetensors")
"""Modules that loading a linear model imports when it first needs them."""
CHILD = (sys.executable, "-P", "-c", "from assay.evaluation.footprint import answer; answer()")
PAGES = Path("/proc/self/statm")


class Footprint(Frozen):
    """The milliseconds that loading took, and the bytes of memory that it and deciding added."""

    load_ms: float
    memory_bytes: int | None
    """None where the system does not tell."""


def measure_footprint(folder: Path, texts: Sequence[str]) -> Footprint:
    """Return what loading an artifact folder and deciding texts, one at a time, adds to a fresh process.

    Loading verifies hashes and golden decisions, as a service does. The memory is what the process holds
    after it less what it held before, when it had imported the same modules; a second process is asked
    where the first one imported more on the way. Folder and texts go through a pipe: the list of
    processes does not show them. Raises ArtifactError when that process fails or takes too long.
    """
    found = _ask(folder, texts, LAZY)
    if found["imported"]:
        found = _ask(folder, texts, (*LAZY, *found["imported"]))
    return Footprint(load_ms=found["load_ms"], memory_bytes=found["memory_bytes"])


def _ask(folder: Path, texts: Sequence[str], modules: Sequence[str]) -> dict[str, Any]:
    question = json.dumps({"folder": str(folder), "texts": list(texts), "modules": list(modules)})
    try:
        done = subprocess.run(
            CHILD, input=question, capture_output=True, encoding="utf-8", check=True, timeout=LIMIT_SECONDS
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(folder, getattr(error, "stderr", None) or str(error)) from error
    except ValueError as error:
        raise _failed(folder, f"its answer was {done.stdout!r:.80}") from error
    return found


def _failed(folder: Path, told: str) -> ArtifactError:
    """Return the error that ends with the last line of what a process told."""
    reason = told.strip().splitlines()[-1]
    return ArtifactError(
        f"{folder} could not be loaded in a process of its own, as a service does it: {reason}", folder=folder
    )


def answer() -> None:
    """Answer the question on standard input: load, decide, and write what that took as JSON."""
    question = json.load(sys.stdin)
    for name in question["modules"]:
        import_module(name)
    # Loads the parts of the kernel that were built.
    uncompiled()
    known, before, started = set(sys.modules), _resident(), time.perf_counter()
    cascade = load_artifact(Path(question["folder"]))
    load_ms = (time.perf_counter() - started) * 1000
    for text in question["texts"]:
        cascade.decide([text])
    after = _resident()
    grown = None if before is None or after is None else max(after - before, 0)
    imported = sorted(set(sys.modules) - known)
    sys.stdout.write(json.dumps({"load_ms": load_ms, "memory_bytes": grown, "imported": imported}) + "\n")


def _resident() -> int | None:
    """Return the bytes of this process that are in memory; None where the system does not tell."""
    if not PAGES.is_file():
        return None
    return int(PAGES.read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
