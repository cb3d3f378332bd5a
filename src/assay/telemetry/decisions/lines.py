"""Lines of the log's files: cut, checked, turned into records."""

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import orjson

from assay.telemetry.decisions.record import NAMES, Record, record_of

LONGEST_LINE = 1024**2
"""Bytes. A text has 64 KB at most, up to six times as much with every character escaped; what is longer is
no line of the log, and is not read into memory."""

TEXTS = ("id", "task", "model", "version", "label", "decided_by", "text_hash", "request_id", "key", "route")
TEXTS_OR_NONE = ("rule", "text", "subject")
NUMBERS = ("confidence", "characters", "share")
NUMBERS_OR_NONE = ("score", "threshold", "unknown")


class Found(NamedTuple):
    """A record, and what its line held beside it: fields of a newer format."""

    record: Record
    more: dict[str, Any]


def open_file(path: Path, stack: ExitStack) -> BinaryIO:
    """Return the bytes of a file, closed by ``stack``; a pipe in its place holds nobody up."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return cast(BinaryIO, stack.enter_context(os.fdopen(descriptor, "rb")))


def open_lines(path: Path, stack: ExitStack) -> BinaryIO:
    """Return the lines of a file, decompressed; closed by ``stack``."""
    stream = open_file(path, stack)
    if path.suffix != ".gz":
        return stream
    return cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")))


def lines_of(stream: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """Yield the lines of a stream up to ``size`` bytes, the last one perhaps without its end.

    Of a line that is longer than any of the log's only the beginning is given.
    """
    left = size
    while line := stream.readline(LONGEST_LINE if left is None else min(LONGEST_LINE, left)):
        left = None if left is None else left - len(line)
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE if left is None else min(LONGEST_LINE, left))
            left = None if left is None else left - len(line)


def parse(line: bytes) -> Found | None:
    """Return the record of a line with what else it holds; None where it is torn or none of the log's."""
    try:
        found = orjson.loads(line)
        record = record_of(found)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    if not is_sound(record):
        return None
    return Found(record, {name: value for name, value in found.items() if name != "at" and name not in KNOWN})


def is_sound(record: Record) -> bool:
    """Return whether every field is of its kind: another program's line may have fields of the same names."""
    return (
        all(isinstance(getattr(record, name), str) for name in TEXTS)
        and all(isinstance(getattr(record, name), str | None) for name in TEXTS_OR_NONE)
        and all(isinstance(getattr(record, name), int | float) for name in NUMBERS)
        and all(isinstance(getattr(record, name), int | float | None) for name in NUMBERS_OR_NONE)
        and isinstance(record.review, bool)
        and 0 < record.share <= 1
    )


def is_whole(line: bytes) -> bool:
    """Return whether a line looks like one that was written to its end; quick, and no proof."""
    return line.startswith(b"{") and line.endswith(b"}\n")


KNOWN = frozenset(NAMES)
