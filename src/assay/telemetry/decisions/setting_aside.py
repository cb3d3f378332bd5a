"""A file that a worker writes to, given a closed name: the worker goes on in a new one."""

import fcntl
import os
import time
from pathlib import Path
from typing import BinaryIO, cast

from assay.telemetry.decisions.lines import lines_of, parse
from assay.telemetry.decisions.names import LogName, closed_name


def set_aside(name: LogName, subject: str) -> bool:
    """Give a file that is written to a closed name when it holds a subject; return whether it did.

    Lines that were cut off count as the subject's: whose text they held cannot be told. A file without any
    record stays, it may be another program's. Raises OSError when it cannot be read or moved.
    """
    try:
        with name.path.open("r+b") as opened:
            stream, seen = cast(BinaryIO, opened), _Seen(subject)
            # The lock keeps the worker from writing, so that it is held for what came meanwhile alone.
            seen.look(stream)
            fcntl.flock(stream, fcntl.LOCK_EX)
            seen.look(stream)
            if not seen.holds or seen.span is None or not _is_at(stream, name.path):
                return False
            first, last = seen.span
            # A line that was under way when the name changed was decided by now.
            name.path.rename(_free(name, first, max(last, time.time())))
            return True
    except FileNotFoundError:
        return False


class _Seen:
    """What was seen of a file so far."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self.holds = False
        self.span: tuple[float, float] | None = None

    def look(self, stream: BinaryIO) -> None:
        """Look at the lines from here on; a last one without its end is left for the next look."""
        begin = stream.tell()
        for line in lines_of(stream):
            if not line.endswith(b"\n") and stream.tell() - begin == len(line):
                stream.seek(begin)
                return
            begin = stream.tell()
            found = parse(line)
            self.holds |= found is None or found.record.subject == self._subject
            if found is not None:
                first, last = self.span or (found.record.at, found.record.at)
                self.span = min(first, found.record.at), max(last, found.record.at)


def _is_at(stream: BinaryIO, path: Path) -> bool:
    return os.path.samestat(os.fstat(stream.fileno()), path.stat())


def _free(name: LogName, first: float, last: float) -> Path:
    again = 0
    while True:
        path = name.path.with_name(closed_name(name.slot, first, last, again))
        if not path.exists() and not path.with_name(f"{path.name}.gz").exists():
            return path
        again += 1
