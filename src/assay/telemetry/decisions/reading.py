"""The decision log read back, while it is written, rotated, compressed and put together."""

import logging
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from assay.estimators import time_of
from assay.telemetry.decisions.columns import ColumnFile, Damage, Needle
from assay.telemetry.decisions.lines import lines_of, open_file, open_lines, parse
from assay.telemetry.decisions.listing import check_folder, first_of, list_log, source_of
from assay.telemetry.decisions.names import LogName
from assay.telemetry.decisions.notes import Notes
from assay.telemetry.decisions.record import Record

logger = logging.getLogger(__name__)

ALWAYS, NEVER = float("-inf"), float("inf")
SLACK_SECONDS = 120.0
"""How far the moment in an id may be from the one that a record says: the clock may have been set between
the two, and the rows of an uploaded file are told of in parts."""
PATIENT_ROUNDS = 5
"""How often the folder is looked through for files that were closed meanwhile, also for those that hold only
what came meanwhile."""
MISSES = 5
"""How often a file that is listed and cannot be found is looked for again: a link may lead nowhere."""

UNREADABLE = (OSError, EOFError, zlib.error)


class Span(NamedTuple):
    """The moments of the first and the last decision, in seconds since the epoch."""

    first: float
    last: float


def read_records(
    folder: Path,
    *,
    since: float = ALWAYS,
    until: float = NEVER,
    needle: Needle | None = None,
    notes: Notes | None = None,
) -> Iterator[Record]:
    """Yield the records of a log from ``since`` on and before ``until``, in constant memory.

    Files come in the order of their first decisions, those that are written to last; within a file, the
    order is that in which it was written. Several workers write side by side, so that moments of different
    files overlap. Every decision that was logged before the reading began is given once, whatever is rotated,
    compressed or compacted meanwhile, and of those that come later some. With a ``needle`` only records
    that have it are given. ``notes`` takes what could not be read; without, it is logged. Raises LogError
    without a folder, MissingExtra where a Parquet file is met without pyarrow.
    """
    check_folder(folder)
    taken = Notes() if notes is None else notes
    yield from _Reader(folder, since, until, needle, taken).records()
    if notes is None:
        for line in taken.lines():
            logger.warning("%s", line)


def find_record(folder: Path, identifier: str, *, notes: Notes | None = None) -> Record | None:
    """Return the record of a decision, None where the log has none.

    The files that the moment in the id points at are searched first, then all. Raises as ``read_records``.
    """
    moment, needle = time_of(identifier), Needle("id", identifier)
    spans = [(ALWAYS, NEVER)]
    if moment is not None:
        spans.insert(0, (moment - SLACK_SECONDS, moment + SLACK_SECONDS))
    for since, until in spans:
        found = next(read_records(folder, since=since, until=until, needle=needle, notes=notes), None)
        if found is not None:
            return found
    return None


def span_of(folder: Path) -> Span | None:
    """Return the span of the decisions in a log, None for an empty one. Raises LogError."""
    names = list_log(folder)
    moments = [moment for name in names for moment in (name.first, name.last) if moment is not None]
    for name in (name for name in names if name.active):
        # One that was moved meanwhile is told by its new name the next time.
        if found := span_of_lines(name.path):
            moments += found
    return Span(min(moments), max(moments)) if moments else None


def span_of_lines(path: Path) -> Span | None:
    """Return the span of the records in a file of lines; None when it has none, or cannot be read."""
    first, last = NEVER, ALWAYS
    try:
        with ExitStack() as stack:
            for line in lines_of(open_file(path, stack)):
                if found := parse(line):
                    first, last = min(first, found.record.at), max(last, found.record.at)
    except OSError:
        return None
    return Span(first, last) if first <= last else None


class _Reader:
    """Reads a log once: closed files until none is left unread, then those that are written to.

    A closed file goes by its name without ending, which it keeps when it is compressed and in the metadata
    of the Parquet file that it goes into. Those that are written to are opened together, and read only if
    no closed file came up meanwhile: it could be one of them.
    """

    def __init__(self, folder: Path, since: float, until: float, needle: Needle | None, notes: Notes) -> None:
        self._folder, self._since, self._until = folder, since, until
        self._needle, self._notes = needle, notes
        self._began, self._round = time.time(), 0
        self._done: set[str] = set()
        self._sources: dict[tuple[str, int], list[str]] = {}
        self._missed: Counter[str] = Counter()

    def records(self) -> Iterator[Record]:
        while True:
            while unread := self._unread():
                self._round += 1
                for name in unread:
                    yield from self._closed(name)
            with ExitStack() as stack:
                opened = self._open_active(stack)
                if self._unread():
                    continue
                for stream, size in opened:
                    yield from self._lines(stream, size)
                return

    def _unread(self) -> list[LogName]:
        """Return the closed files that may hold what is looked for and was not read yet."""
        found: dict[str, LogName] = {}
        for name in list_log(self._folder):
            if name.active or not name.may_hold(self._since, self._until):
                continue
            source = source_of(name.path.name)
            # A file that is still there beside its compressed self, as after a crash, has the same source.
            if name.kind != "parquet" and self._wants(source):
                found.setdefault(source, name)
            elif name.kind == "parquet" and any(map(self._wants, self._inside(name))):
                found[name.path.name] = name
        return list(found.values())

    def _wants(self, source: str) -> bool:
        """Return whether a closed file is still to be read.

        Where files are closed faster than they can be listed, those that only hold decisions from after the
        reading began are left, so that it ends.
        """
        if source in self._done:
            return False
        return self._round < PATIENT_ROUNDS or (first_of(source) or 0.0) <= self._began

    def _inside(self, name: LogName) -> list[str]:
        """Return the sources of a Parquet file; one that cannot be opened stands for itself."""
        try:
            key = name.path.name, name.path.stat().st_ino
            if key not in self._sources:
                with ExitStack() as stack:
                    sources = ColumnFile(open_file(name.path, stack), name.path.name).sources
                self._sources[key] = [source.name for source in sources]
            return self._sources[key]
        except (OSError, Damage):
            return [name.path.name]

    def _closed(self, name: LogName) -> Iterator[Record]:
        path = name.path
        try:
            with ExitStack() as stack:
                if name.kind == "parquet":
                    stream = open_file(path, stack)
                    self._opened(stream)
                    yield from self._columns(stream, path.name)
                    return
                stream = open_lines(path, stack)
                source = source_of(path.name)
                if not self._wants(source):
                    return
                self._done.add(source)
                self._opened(stream)
                yield from self._lines(stream)
        except FileNotFoundError:
            # It has another name by now, or is gone for good; the next list tells.
            self._missed[path.name] += 1
            if self._missed[path.name] >= MISSES:
                self._fault(path, "it is listed, and there is no such file")
        except UNREADABLE as error:
            self._fault(path, getattr(error, "strerror", None) or str(error))
        except Damage as error:
            self._fault(path, str(error))

    def _columns(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        file = ColumnFile(stream, name)
        for source in file.sources:
            if not self._wants(source.name):
                continue
            self._done.add(source.name)
            rows = file.rows(source, since=self._since, until=self._until, needle=self._needle)
            yield from (found.record for found in rows if self._fits(found.record))

    def _open_active(self, stack: ExitStack) -> list[tuple[BinaryIO, int]]:
        opened = []
        for path in (name.path for name in list_log(self._folder) if name.active):
            try:
                stream = open_file(path, stack)
                opened.append((stream, os.fstat(stream.fileno()).st_size))
            except FileNotFoundError:
                continue
            except OSError as error:
                self._fault(path, error.strerror or str(error))
        return opened

    def _lines(self, stream: BinaryIO, size: int | None = None) -> Iterator[Record]:
        """Yield the records in lines; the end of a file that is written to may be under way."""
        if size is not None:
            self._opened(stream)
        needle = self._needle.value.encode() if self._needle else b""
        for line in lines_of(stream, size):
            if needle not in line:
                continue
            found = parse(line)
            if found is None:
                self._notes.torn += bool(line.strip()) and (size is None or line.endswith(b"\n"))
            elif self._fits(found.record):
                yield found.record

    def _fits(self, record: Record) -> bool:
        wanted = self._needle is None or getattr(record, self._needle.name) == self._needle.value
        return wanted and self._since <= record.at < self._until

    def _opened(self, stream: BinaryIO) -> None:
        self._notes.files += 1
        self._notes.bytes += os.fstat(stream.fileno()).st_size

    def _fault(self, path: Path, reason: str) -> None:
        self._done.update((source_of(path.name), path.name))
        told = f"{path} could not be read, or not to its end: {reason}. What it holds is missing here."
        if told not in self._notes.faults:
            self._notes.faults.append(told)
