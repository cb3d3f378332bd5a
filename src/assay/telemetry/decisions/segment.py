"""The file that one worker writes to, and how it is closed."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from assay.telemetry.decisions.names import active_name, closed_name
from assay.telemetry.decisions.record import read_line, written
from assay.telemetry.logfile import LogFile

Sync = Literal["never", "second", "batch"]

SYNC_SECONDS = 1.0
READ_BYTES = 1 << 17
BREATH_SECONDS = 0.0005
HEAD = b'{"at":"'
MOMENT = slice(len(HEAD), len(HEAD) + len("2026-11-29T10:15:00.123456+00:00"))
REMEDY = (
    "Name a folder that this account may write in ASSAY_DECISION_FOLDER, or set ASSAY_DECISION_LOG=false."
)


class Segment:
    """The active file of one slot.

    Parameters
    ----------
    folder, slot
        Which file; whoever makes this object holds the slot's lock.
    sync
        When it is forced to disk: never, a second after it was written, or by each ``tend``.
    clock
        Seconds that never jump.
    """

    def __init__(
        self, folder: Path, slot: int, *, sync: Sync, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder, self.slot, self._sync, self._clock = folder, slot, sync, clock
        self.path = folder / active_name(slot)
        self._file = LogFile(str(self.path), what="decision log", remedy=REMEDY)
        self._unsynced: float | None = None
        # What another process wrote may be old already; a clock that jumped since only closes it early.
        with self._file.locked() as descriptor:
            began = first_moment(descriptor)
        self._since = None if began is None else clock() - max(0.0, time.time() - began)

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, all of them or none; raises OSError for none."""
        self._file.append(lines)
        now = self._clock()
        if self._since is None:
            self._since = now
        if self._unsynced is None:
            self._unsynced = now

    def force(self, *, at_once: bool = False) -> None:
        """Force to disk what the policy asks for now; raises OSError when the disk does not take it."""
        if self._sync == "never" or self._unsynced is None:
            return
        if at_once or self._sync == "batch" or self._clock() - self._unsynced >= SYNC_SECONDS:
            # Before: what cannot be synchronised once is not there any more to be synchronised again.
            self._unsynced = None
            with self._file.locked() as descriptor:
                os.fsync(descriptor)

    def due(self, most_bytes: int, most_seconds: float) -> bool:
        """Return whether the file is full or old."""
        if self._since is None:
            return False
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return False
        return size >= most_bytes or self._clock() - self._since >= most_seconds

    def rotate(self) -> Path | None:
        """Close the file under a name that says what it holds; return that, or None where it holds nothing.

        Raises OSError.
        """
        self.force(at_once=True)
        with self._file.locked() as descriptor:
            self._since = None
            size = os.fstat(descriptor).st_size
            if not size:
                return None
            if os.pread(descriptor, 1, size - 1) != b"\n":
                # A process was killed in the middle of its line.
                with suppress(OSError):
                    os.write(descriptor, b"\n")
            closed = unused_name(self.folder, self.slot, *span_of(descriptor))
            self.path.rename(closed)
        if self._sync != "never":
            sync_folder(self.folder)
        return closed

    def abandon(self) -> None:
        """Close a file that was taken away."""
        self._file.close()

    def close(self) -> None:
        """Force to disk what the policy asks for, and close the file; it stays the active one."""
        try:
            self.force(at_once=True)
        finally:
            self._file.close()


def unused_name(folder: Path, slot: int, first: float, last: float) -> Path:
    """Return the path of a closed file that no other one has, compressed or not."""
    again = 0
    while True:
        path = folder / closed_name(slot, first, last, again)
        if not path.exists() and not path.with_name(f"{path.name}.gz").exists():
            return path
        again += 1


def span_of(descriptor: int) -> tuple[float, float]:
    """Return the earliest and the latest moment in a file; where it has no record, when it changed."""
    moments = [bounds for lines in _parts(descriptor) if (bounds := _bounds(lines))]
    if not moments:
        changed = os.fstat(descriptor).st_mtime
        return changed, changed
    return _seconds(min(low for low, _ in moments)), _seconds(max(high for _, high in moments))


def first_moment(descriptor: int) -> float | None:
    """Return the earliest moment of the first records in a file; None where it has none."""
    return next((_seconds(bounds[0]) for lines in _parts(descriptor) if (bounds := _bounds(lines))), None)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parts(descriptor: int) -> Iterator[list[bytes]]:
    """Yield the whole lines of a file, many at a time."""
    # By its descriptor: when a process closes a file, all of its locks on that end.
    place, rest = 0, b""
    while data := os.pread(descriptor, READ_BYTES, place):
        place += len(data)
        *lines, rest = (rest + data).split(b"\n")
        yield lines
        # Whoever answers requests in this process waits for the interpreter meanwhile.
        time.sleep(BREATH_SECONDS)


def _bounds(lines: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the earliest and the latest moment in lines, as they are written: so they sort as in time."""
    whole = [line[MOMENT] for line in lines if line.startswith(HEAD) and line.endswith(b"}")]
    try:
        low, high = min(whole), max(whole)
        _seconds(low), _seconds(high)
    except ValueError:
        # A line that was damaged or written by other means; or none at all.
        read = [record.at for line in lines if (record := read_line(line))]
        return (_bytes(min(read)), _bytes(max(read))) if read else None
    return low, high


def _seconds(moment: bytes) -> float:
    return datetime.fromisoformat(moment.decode("ascii")).timestamp()


def _bytes(at: float) -> bytes:
    return written(at).encode("ascii")
