"""Decisions as the service tells of them, and the log's lines as they are read."""

import fcntl
import gzip
import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from assay.estimators import Cascade, Decision, load_artifact
from assay.service import Decided, Exchange
from assay.telemetry.decisions.names import names_in
from assay.telemetry.decisions.record import Record

ARTIFACT = Path(__file__).parents[2] / "artifacts" / "v1" / "words-and-characters"
IDS = "0199dd3cf0007abc8def{:012x}"
"""Ids of one moment, 2025-10-13T11:03:02.400Z."""


@cache
def cascade() -> Cascade:
    """Return a small cascade."""
    return load_artifact(ARTIFACT).at_version("3")


def decision(**known: Any) -> Decision:
    """Return a decision."""
    values = {
        "task": "spam", "label": "ham", "confidence": 0.75, "score": 0.25, "threshold": 0.5,
        "decided_by": "model", "model": "SpamClassifier", "version": "3",
    }  # fmt: skip
    return Decision(**values | known)


def decided(*texts: str, number: int | None = None, **known: Any) -> Decided:
    """Return texts of one request with their decisions; with a number, one of a known id."""
    texts = texts or ("lunch tomorrow?",)
    ids = {} if number is None else {"id": IDS.format(number)}
    asked = Exchange(request_id="r-1", method="POST", path="/predict", route="/predict", key="shop")
    values = {"cascade": cascade(), "decisions": [decision(**ids) for _ in texts], "exchange": asked}
    return Decided(texts=texts, **values | known)


def record(number: int = 0, **known: Any) -> Record:
    """Return a record."""
    values = {
        "at": 1_760_344_862.72, "id": IDS.format(number), "task": "spam", "model": "SpamClassifier",
        "version": "3", "label": "ham", "confidence": 0.75,
    }  # fmt: skip
    return Record(**values | known)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of one file of the log; each must be whole."""
    with path.open("rb") as file:
        # Who writes to a full disk has part of a line in the file until it takes it back, under this lock.
        fcntl.flock(file, fcntl.LOCK_SH)
        data = file.read()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def logged(folder: Path) -> list[dict[str, Any]]:
    """Return every line of a log."""
    return [line for name in names_in(folder) for line in lines_of(name.path)]


def wait_for(come: Callable[[], object]) -> None:
    """Wait until something is so; fail when it never is."""
    end = time.monotonic() + 30
    while not come():
        assert time.monotonic() < end
        time.sleep(0.01)
