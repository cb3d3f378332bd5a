"""From feedback to the decisions that it is about: ids are looked up in the decision log, once."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.database import Database
from assay.estimators import time_of
from assay.telemetry.decisions.names import LogName, names_in
from assay.telemetry.decisions.reading import read_records
from assay.telemetry.decisions.record import Record
from assay.telemetry.feedback.lines import SLACK_SECONDS, lines_of, may_hold_any, record_in
from assay.telemetry.feedback.store import stamp

BATCH = 100_000
"""Ids that are looked for together, in one reading of the files that may hold them."""
LINES = 10_000
"""Lines between two moments at which the work can be laid down."""
WRITTEN = 500
"""Rows that are written in one transaction."""
YOUNG_SECONDS = 600.0
"""An id that is not found is looked for again while its decision may still be on its way into the log."""
LATE_SECONDS = 15.0
"""How much earlier than now a row's ``at`` may be when it appears: writers wait for each other."""

OPEN = (
    "SELECT f.at, f.decision FROM feedback f WHERE f.at >= %s AND NOT EXISTS "
    "(SELECT 1 FROM judged j WHERE j.decision = f.decision) ORDER BY f.at LIMIT %s"
)
JUDGE = (
    "INSERT INTO judged (decision, task, version, decided, confidence, decided_by, review, "
    '"key", at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (decision) DO NOTHING'
)
_ID = re.compile(rb'"id":"([0-9a-f]{32})"')
Wanted = dict[bytes, float]
"""Ids as the log writes them, each with the time in it."""


class Resolver:
    """Matches feedback with the decision log, and keeps what it finds in the table ``judged``.

    An id that the log does not have (any more), and one that is no UUID of version 7, stays without a row.
    Parquet is not read.

    Parameters
    ----------
    cursor
        Feedback before this moment has been looked up; grows with ``round``.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        cursor: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.cursor, self.matched = cursor, 0
        self._database, self._folder, self._now = database, folder, now

    def round(self) -> Iterator[None]:
        """Look up what has come since the last round, a step for each item.

        What was found before the end is kept; a round that is left is begun anew. Raises DatabaseError,
        OSError.
        """
        while True:
            rows = open_rows(self._database, self.cursor)
            if not rows:
                return
            wanted = wanted_of(rows)
            yield from self._search(wanted)
            before, self.cursor = self.cursor, self._next(rows, wanted)
            if len(rows) < BATCH or self.cursor == before:
                return

    def _next(self, rows: list[tuple[str, str]], missing: Wanted) -> str:
        """Return from when on rows are to be looked at again."""
        now = self._now()
        held = min(stamp(now - LATE_SECONDS), rows[-1][0])
        for at, decision in rows:
            # One from the future is made up, or of a clock that was wrong: it holds up nothing.
            if abs(missing.get(decision.encode(), 0.0) - now) < YOUNG_SECONDS:
                return min(held, at)
        return held

    def _search(self, wanted: Wanted) -> Iterator[None]:
        """Write what the log has of the wanted ids, and leave in ``wanted`` what it has not."""
        seen: set[str] = set()
        # A file that was renamed between the list and the reading stands in the next list.
        while wanted and (names := self._names(wanted, seen)):
            for name in names:
                seen.add(_place(name))
                yield from self._search_file(name, wanted)
            if not any(name.active for name in names):
                return

    def _names(self, wanted: Wanted, seen: set[str]) -> list[LogName]:
        times = sorted(wanted.values())
        return [
            name for name in names_in(self._folder) if _place(name) not in seen and may_hold_any(name, times)
        ]

    def _search_file(self, name: LogName, wanted: Wanted) -> Iterator[None]:
        found: list[Record] = []
        for record in wanted_lines(name, wanted):
            if record is not None and wanted.pop(record.id.encode(), None) is not None:
                found.append(record)
            if record is None or len(found) >= WRITTEN:
                self._write(found)
                found = []
                yield
        self._write(found)
        yield

    def _write(self, found: Sequence[Record]) -> None:
        write(self._database, found)
        self.matched += len(found)


def resolve(database: Database, folder: Path) -> int:
    """Match all feedback with the decision log of a folder and return how many decisions were found.

    Unlike ``Resolver`` it looks for everything again that was not found, and reads Parquet too. Raises
    DatabaseError, LogError, MissingExtra.
    """
    matched, cursor = 0, ""
    while rows := open_rows(database, cursor):
        wanted = wanted_of(rows)
        for some in _found(folder, wanted):
            write(database, some)
            matched += len(some)
        if len(rows) < BATCH or cursor == rows[-1][0]:
            return matched
        cursor = rows[-1][0]
    return matched


def _found(folder: Path, wanted: Wanted) -> Iterator[list[Record]]:
    if not wanted:
        return
    since, until = min(wanted.values()) - SLACK_SECONDS, max(wanted.values()) + SLACK_SECONDS
    found: list[Record] = []
    for record in read_records(folder, since=since, until=until):
        if wanted.pop(record.id.encode(), None) is not None:
            found.append(record)
        if len(found) >= WRITTEN:
            yield found
            found = []
        if not wanted:
            break
    yield found


def open_rows(database: Database, cursor: str) -> list[tuple[str, str]]:
    """Return when feedback was given from a moment on that is not matched, and on which decision."""
    with database.reading() as connection:
        return connection.execute(OPEN, (cursor, BATCH)).fetchall()


def wanted_of(rows: Sequence[tuple[str, str]]) -> Wanted:
    """Return the ids in some rows of feedback that a log can have, with the times in them."""
    times = ((decision, time_of(decision)) for _, decision in rows)
    return {decision.encode(): made for decision, made in times if made is not None}


def write(database: Database, found: Sequence[Record]) -> None:
    """Write down what was found."""
    if found:
        with database.writing() as connection:
            for record in found:
                connection.execute(JUDGE, row_of(record))


def wanted_lines(name: LogName, wanted: Mapping[bytes, float]) -> Iterator[Record | None]:
    """Yield the wanted records of a file of lines, and None now and then; none of a Parquet file."""
    if name.kind == "parquet":
        return
    for number, line in enumerate(lines_of(name.path), start=1):
        # Most lines are of others: to look for the id takes a tenth of reading the line.
        found = _ID.search(line)
        if found and found[1] in wanted and (record := record_in(line)) is not None:
            yield record
        if number % LINES == 0:
            yield None


def row_of(record: Record) -> tuple[Any, ...]:
    """Return a decision as a row of ``judged``."""
    return (
        record.id,
        record.task,
        record.version,
        record.label,
        record.confidence,
        record.decided_by,
        int(record.review),
        record.key,
        stamp(record.at),
    )


def _place(name: LogName) -> str:
    """Return what a file is called, compressed or not."""
    return name.path.name.removesuffix(".gz")
