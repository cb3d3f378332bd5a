"""How many decisions of each kind the log has, kept up to date while it grows, in constant memory."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from assay.telemetry.breath import Breath
from assay.telemetry.decisions.names import LogName, names_in
from assay.telemetry.feedback.lines import counted_in, lines_of, stem_of
from assay.telemetry.feedback.strata import Totals, flat, unflat

WINDOW_SECONDS = 7 * 86_400.0
LINES = 10_000
"""Lines between two moments at which the work can be laid down."""
FORMAT = 2


class Closed(NamedTuple):
    """A closed file that has been counted; it may be gone since."""

    first: float
    last: float
    totals: Totals


class Active(NamedTuple):
    """A file that is being written, counted up to an offset."""

    inode: int
    offset: int
    totals: Totals


class LogTotals:
    """Counts each closed file of the log once, and what is new in the others.

    What is counted is remembered in ``path``, so that a restart does not read the log again. Parquet is not
    read: a day that was put together before it was counted ends the window.
    """

    def __init__(
        self,
        folder: Path,
        path: Path,
        *,
        window: float = WINDOW_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.cursor = ""
        """How far feedback has been looked up; kept beside the counts."""
        self._folder, self._path, self._window, self._now = folder, path, window, now
        self._closed: dict[str, Closed] = {}
        self._active: dict[str, Active] = {}
        self._remember()

    def round(self) -> Iterator[None]:
        """Count what is new, a step for each item. Raises OSError."""
        names, since = list(names_in(self._folder)), self._now() - self._window
        for name in names:
            if name.active:
                yield from self._follow(name.path)
            elif name.kind != "parquet" and (name.last or 0.0) >= since and stem_of(name) not in self._closed:
                yield from self._close(name)
        there = {name.path.name for name in names if name.active}
        self._active = {place: active for place, active in self._active.items() if place in there}
        self._prune([name for name in names if name.kind == "parquet"], since)
        self._write()

    def totals(self) -> Totals:
        """Return the counts of the whole window."""
        totals = Totals()
        parts = [each.totals for each in self._closed.values()]
        for part in (*parts, *(each.totals for each in self._active.values())):
            totals.add(part)
        return totals

    def _follow(self, path: Path) -> Iterator[None]:
        try:
            found = path.stat()
        except FileNotFoundError:
            return
        inode, offset, totals = self._active.get(path.name, Active(0, 0, Totals()))
        if inode != found.st_ino or offset > found.st_size:
            offset, totals = 0, Totals()
        for number, line in enumerate(lines_of(path, offset=offset), start=1):
            offset += len(line)
            _count(totals, line)
            if number % LINES == 0:
                self._active[path.name] = Active(found.st_ino, offset, totals)
                yield
        self._active[path.name] = Active(found.st_ino, offset, totals)
        yield

    def _close(self, name: LogName) -> Iterator[None]:
        totals = Totals()
        for number, line in enumerate(lines_of(name.path), start=1):
            _count(totals, line)
            if number % LINES == 0:
                yield
        if totals.first is not None:
            self._closed[stem_of(name)] = Closed(name.first or 0.0, name.last or 0.0, totals)
        yield

    def _prune(self, parquet: list[LogName], since: float) -> None:
        """Leave out what is too old, and all before a Parquet file whose rows were not counted."""
        firsts = {each.first for each in self._closed.values()}
        lasts = {each.last for each in self._closed.values()}
        for name in parquet:
            if (name.last or 0.0) >= since and not (name.first in firsts and name.last in lasts):
                since = max(since, name.last or 0.0)
        self._closed = {stem: each for stem, each in self._closed.items() if each.last >= since}

    def _write(self) -> None:
        made, breath = self._path.with_name(f"{self._path.name}.{os.getpid()}"), Breath()
        with made.open("wb") as file:
            file.write(_line({"format": FORMAT, "cursor": self.cursor}))
            # One by one: whoever answers requests waits while many are made into JSON.
            for stem, each in self._closed.items():
                file.write(_line([stem, each.first, each.last, each.totals.first, list(flat(each.totals))]))
                breath.take()
        made.replace(self._path)

    def _remember(self) -> None:
        # What cannot be read is counted again.
        with (
            suppress(OSError, ValueError, TypeError, KeyError, AttributeError),
            self._path.open("rb") as file,
        ):
            kept, breath = orjson.loads(file.readline()), Breath()
            if kept["format"] == FORMAT:
                closed = {}
                for line in file:
                    stem, first, last, begun, rows = orjson.loads(line)
                    closed[stem] = Closed(first, last, unflat(rows, begun))
                    breath.take()
                self._closed, self.cursor = closed, str(kept["cursor"])


def _line(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _count(totals: Totals, line: bytes) -> None:
    if (counted := counted_in(line)) is not None:
        totals.count(counted)
