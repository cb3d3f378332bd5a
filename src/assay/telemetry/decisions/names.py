"""The names of the decision log's files.

``predictions.jsonl`` is written now, by the first worker; ``predictions-2.jsonl`` by the second. A closed
file is ``predictions-1.20261129T101500123456Z-20261129T111500123456Z.jsonl``: its worker's number, and the
earliest and the latest ``at`` in it. Compressed it ends in ``.jsonl.gz``; a file of which both forms are
there was being compressed when a process was killed, and the compressed one is whole.
``predictions.FIRST-LAST.parquet`` holds several closed files of one day together; its metadata names them.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

STEM = "predictions"
SPAN_FORMAT = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(
    rf"{STEM}(?:-(?P<slot>\d+))?(?:\.(?P<first>\d{{8}}T\d{{12}}Z)-(?P<last>\d{{8}}T\d{{12}}Z)(?:-\d+)?)?"
    r"\.(?P<kind>jsonl|jsonl\.gz|parquet)"
)


class LogName(NamedTuple):
    """What the name of a file of the log says; ``first`` and ``last`` are None while it is written to."""

    path: Path
    slot: int
    kind: str
    first: float | None
    last: float | None

    @property
    def active(self) -> bool:
        """True for a file that a worker writes to, or wrote to when it was killed."""
        return self.first is None

    def may_hold(self, since: float, until: float) -> bool:
        """Return whether a decision between two moments may stand in the file."""
        return self.first is None or self.last is None or (self.first < until and self.last >= since)


def active_name(slot: int) -> str:
    """Return the name of the file that a worker writes to; slots count from 1."""
    return f"{STEM}.jsonl" if slot == 1 else f"{STEM}-{slot}.jsonl"


def closed_name(slot: int, first: float, last: float, again: int = 0) -> str:
    """Return the name of a closed file; ``again`` counts those that would have the same name."""
    more = f"-{again}" if again else ""
    return f"{STEM}-{slot}.{_written(first)}-{_written(last)}{more}.jsonl"


def names_in(folder: Path) -> Iterator[LogName]:
    """Yield the files of the log in a folder by name, each once; none when there is no such folder."""
    names = list(files_in(folder))
    compressed = {name.path.name for name in names if name.kind == "jsonl.gz"}
    yield from (name for name in names if f"{name.path.name}.gz" not in compressed)


def files_in(folder: Path) -> Iterator[LogName]:
    """Yield the same, and beside a compressed file what it was made of, where that is still there."""
    if folder.is_dir():
        yield from filter(None, map(_name_of, sorted(folder.iterdir())))


def uncompressed_in(folder: Path) -> list[Path]:
    """Return the closed files in a folder that are to be compressed, also those that have been."""
    names = files_in(folder)
    return [name.path for name in names if not name.active and name.kind == "jsonl"]


def _name_of(path: Path) -> LogName | None:
    found = _NAME.fullmatch(path.name)
    if not found or (found["kind"] != "jsonl" and not found["first"]):
        return None
    try:
        span = _read(found["first"]), _read(found["last"])
    except ValueError:
        # Somebody's own file: the log writes no thirteenth month.
        return None
    return LogName(path, int(found["slot"] or 1), found["kind"], *span)


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(SPAN_FORMAT)


def _read(text: str | None) -> float | None:
    return datetime.strptime(text, SPAN_FORMAT).replace(tzinfo=UTC).timestamp() if text else None
