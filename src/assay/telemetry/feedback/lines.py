"""The lines of the decision log's files, as a running service reads them: while others write and rotate."""

import gzip
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from assay.telemetry.breath import Breath
from assay.telemetry.decisions.lines import parse
from assay.telemetry.decisions.names import LogName
from assay.telemetry.decisions.record import Record

SLACK_SECONDS = 600.0
"""How far the time in a decision's id and the ``at`` of its line may lie apart."""


def lines_of(path: Path, *, offset: int = 0) -> Iterator[bytes]:
    """Yield the whole lines of a file, from an offset on; what is torn or damaged ends it.

    A file that was compressed meanwhile is read compressed; one that is gone has no lines. Raises OSError
    for one that cannot be read.
    """
    breath = Breath()
    with suppress(EOFError, gzip.BadGzipFile, zlib.error):
        for line in _raw(path, offset):
            breath.take()
            if not line.endswith(b"\n"):
                # Still being written, or never to be finished.
                return
            yield line


def _raw(path: Path, offset: int) -> Iterator[bytes]:
    packed = path.with_name(f"{path.name}.gz")
    for each in (path,) if path.suffix == ".gz" else (path, packed):
        try:
            with gzip.open(each, "rb") if each.suffix == ".gz" else each.open("rb") as file:
                if offset:
                    file.seek(offset)
                yield from file
                return
        except FileNotFoundError:
            continue


def record_in(line: bytes) -> Record | None:
    """Return the record of a line; None where it is torn or none of the log's."""
    found = parse(line)
    return found.record if found else None


class Counted(NamedTuple):
    """What is counted of a decision; the fields are those of a ``Record``."""

    at: float
    task: str
    version: str
    label: str
    decided_by: str
    review: bool
    confidence: float
    share: float


def counted_in(line: bytes) -> Counted | None:
    """Return what is counted of a line; None where it is torn or none of the log's.

    A quarter of the time of ``record_in``, and as every decision comes by here, no more is looked at: a line
    with other fields that are not the log's is counted.
    """
    try:
        found = orjson.loads(line)
        named = (found["id"], found["model"], found["task"], found["version"], found["label"])
        tier, review, share = found.get("decided_by"), found.get("review"), found.get("share")
        counted = Counted(
            datetime.fromisoformat(found["at"]).timestamp(),
            *named[2:],
            decided_by="model" if tier is None else tier,
            review=False if review is None else review,
            confidence=found["confidence"],
            share=1.0 if share is None else share,
        )
        return counted if _is_sound(counted, named) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _is_sound(counted: Counted, named: Sequence[object]) -> bool:
    return (
        {*map(type, named)} == {str}
        and isinstance(counted.decided_by, str)
        and isinstance(counted.review, bool)
        and isinstance(counted.confidence, int | float)
        and isinstance(counted.share, int | float)
        and 0 < counted.share <= 1
    )


def may_hold_any(name: LogName, times: Sequence[float]) -> bool:
    """Return whether a file may hold a decision of one of some times, which are sorted."""
    if name.first is None or name.last is None:
        return True
    place = bisect_left(times, name.first - SLACK_SECONDS)
    return place < len(times) and times[place] <= name.last + SLACK_SECONDS


def stem_of(name: LogName) -> str:
    """Return what a closed file is called, compressed or not."""
    return name.path.name.partition(".jsonl")[0]
