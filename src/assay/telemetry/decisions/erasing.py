"""All decisions about one subject's texts removed from the log, while it is written."""

import gzip
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from assay.database import Database
from assay.telemetry.decisions.columns import ColumnFile, ColumnWriter, Damage, Needle
from assay.telemetry.decisions.lines import is_whole, lines_of, open_file, open_lines, parse
from assay.telemetry.decisions.listing import check_folder, list_log, source_of
from assay.telemetry.decisions.names import LogName
from assay.telemetry.decisions.reading import UNREADABLE
from assay.telemetry.decisions.setting_aside import set_aside
from assay.telemetry.decisions.upkeep import drafted, upkeep

GRACE_SECONDS = 0.5
"""How long a writer may need to notice that its file has another name: it writes each fifth of a second."""
WAIT_SECONDS = 2.0
"""How long a decision that was answered may need to come to its file."""
LOOKS = 5
CHUNK = 500
"""Decisions whose feedback is deleted at a time."""

Forget = Callable[[Sequence[str]], int]
"""Deletes what people said of decisions, by their ids; returns how many rows there were."""


@dataclass
class Erased:
    """What was removed so far."""

    ids: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    """Files that were rewritten, by their names without ending."""
    torn: int = 0
    """Lines that were cut off: whose text they held cannot be told, so they went too."""
    said: int = 0
    """Rows of feedback, and of what was made of it."""
    faults: list[str] = field(default_factory=list)
    """A sentence for each reason why the subject may still be in the log."""

    def fault(self, sentence: str) -> None:
        """Keep a reason, once."""
        if sentence not in self.faults:
            self.faults.append(sentence)


def erase(
    folder: Path,
    subject: str,
    *,
    forget: Forget,
    erased: Erased,
    grace: float = GRACE_SECONDS,
    wait: float = WAIT_SECONDS,
) -> None:
    """Remove all records of a subject, given by its hash, and tell ``erased`` what was.

    A file that is written to is given a closed name first; its writer goes on in a new one. The folder is
    looked through again after ``wait`` seconds, until a look finds nothing, so that what was under way is
    caught. What people said of a decision goes before its record: what a run that was cut off left, the next
    one finds. Raises LogError, DatabaseError, MissingExtra, OSError.
    """
    check_folder(folder)
    forget([])
    with upkeep(folder):
        eraser = _Eraser(folder, subject, forget, erased)
        for look in range(LOOKS):
            time.sleep(wait if look else 0.0)
            moved = eraser.set_aside()
            time.sleep(grace if moved else 0.0)
            if not eraser.clear() and not moved and look:
                return
    erased.fault("Decisions about this subject are still being made. Erase once more when that has ended.")


def forget_decisions(database: Database, ids: Sequence[str]) -> int:
    """Delete what people said of decisions, and what was made of it; return how many rows there were.

    Raises DatabaseError.
    """
    count = 0
    with database.writing() as connection:
        for table in ("feedback", "judged"):
            for identifier in ids:
                of = f"FROM {table} WHERE decision = %s"
                count += connection.execute(f"SELECT count(*) {of}", [identifier]).fetchall()[0][0]
                connection.execute(f"DELETE {of}", [identifier])
    return count


class _Eraser:
    """Looks through a log for a subject, and rewrites what holds it."""

    def __init__(self, folder: Path, subject: str, forget: Forget, erased: Erased) -> None:
        self._folder, self._subject = folder, subject
        self._forget, self._erased = forget, erased
        self._clean: set[tuple[int, int, int]] = set()

    def set_aside(self) -> bool:
        """Move the files that are written to and hold the subject; return whether any did."""
        return sum(self._moved(name) for name in list_log(self._folder) if name.active) > 0

    def clear(self) -> bool:
        """Rewrite the closed files that hold the subject; return whether any did, or changed meanwhile."""
        return sum(self._cleared(name) for name in list_log(self._folder) if not name.active) > 0

    def _moved(self, name: LogName) -> bool:
        try:
            return set_aside(name, self._subject)
        except OSError as error:
            self._unsearched(name.path, error)
            return False

    def _cleared(self, name: LogName) -> bool:
        try:
            told = name.path.stat()
            mark = told.st_ino, told.st_size, told.st_mtime_ns
            if mark in self._clean:
                return False
            if not (holds := self._forgotten(name)):
                self._clean.add(mark)
        except FileNotFoundError:
            # The service compressed it meanwhile, or deleted it by its age: the next look tells.
            return True
        except (*UNREADABLE, Damage) as error:
            self._unsearched(name.path, error)
            return False
        if holds:
            _rewrite(name, self._subject)
            self._erased.files.add(source_of(name.path.name))
        return holds

    def _forgotten(self, name: LogName) -> bool:
        """Delete what was said of a file's decisions about the subject; return whether it holds any."""
        holds = False
        found = _of_subject(name, self._subject)
        while chunk := list(islice(found, CHUNK)):
            holds = True
            ids = [each for each in chunk if each]
            self._erased.said += self._forget(ids)
            self._erased.ids.update(ids)
            self._erased.torn += len(chunk) - len(ids)
        return holds

    def _unsearched(self, path: Path, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        self._erased.fault(f"{path} could not be searched to its end: {reason}. It may hold the subject.")


def _of_subject(name: LogName, subject: str) -> Iterator[str]:
    """Yield the ids of a file's decisions about a subject, an empty one for each line that was cut off."""
    with ExitStack() as stack:
        if name.kind == "parquet":
            file = ColumnFile(open_file(name.path, stack), name.path.name)
            needle = Needle("subject", subject)
            for source in file.sources:
                rows = file.rows(source, needle=needle)
                yield from (found.record.id for found in rows if found.record.subject == subject)
            return
        for line in lines_of(open_lines(name.path, stack)):
            if not _stays(line, subject):
                found = parse(line)
                yield found.record.id if found else ""


def _stays(line: bytes, subject: str) -> bool:
    """Return whether a line is whole and about another subject."""
    if is_whole(line) and subject.encode() not in line:
        return True
    found = parse(line)
    return found is not None and found.record.subject != subject


def _rewrite(name: LogName, subject: str) -> None:
    """Put a file without the subject in a file's place; one that would be empty is deleted."""
    path = name.path
    try:
        with ExitStack() as stack:
            # Whoever would still write to it waits, and finds it under another name.
            out = stack.enter_context(drafted(path, like=path.stat()))
            copy = _copy_columns if name.kind == "parquet" else _copy_lines
            left = copy(path, out, subject)
    except FileNotFoundError:
        return
    if not left:
        path.unlink(missing_ok=True)


def _copy_lines(path: Path, out: BinaryIO, subject: str) -> int:
    left = 0
    with ExitStack() as stack:
        lines = lines_of(open_lines(path, stack))
        if path.suffix == ".gz":
            out = cast(BinaryIO, stack.enter_context(gzip.GzipFile("", "wb", fileobj=out)))
        for line in lines:
            if _stays(line, subject):
                out.write(line if line.endswith(b"\n") else line + b"\n")
                left += 1
    return left


def _copy_columns(path: Path, out: BinaryIO, subject: str) -> int:
    left = 0
    with ExitStack() as stack:
        file = ColumnFile(open_file(path, stack), path.name)
        writer = stack.enter_context(ColumnWriter(out))
        for source in file.sources:
            for found in file.rows(source):
                if found.record.subject != subject:
                    writer.write(found)
                    left += 1
            writer.end_source(source.name)
    return left
