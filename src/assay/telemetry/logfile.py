"""A file that several processes append whole lines to, and that may be moved away meanwhile."""

import fcntl
import os
import select
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.exceptions import ConfigError

STANDARD_OUTPUT = "-"

REQUEST_LOG = (
    "Name a file in a folder that exists and that this account may write in ASSAY_REQUEST_LOG, "
    "or - for standard output."
)
"""What to do about a request log that cannot be opened."""


class LogFile:
    """Appends lines to a file, or to standard output for ``-``.

    Whoever moves the file away or writes it anew holds its lock meanwhile (``flock``).

    Raises ConfigError when it cannot be opened.
    """

    def __init__(self, path: str, *, what: str = "request log", remedy: str = REQUEST_LOG) -> None:
        self.path = path
        # Workers share the descriptor of standard output; a lock of the process tells them apart. Such a lock
        # ends when its process closes any descriptor of the file, as whoever reads a log does.
        self._flock = fcntl.lockf if path == STANDARD_OUTPUT else fcntl.flock
        try:
            if path == STANDARD_OUTPUT:
                self._descriptor = 1
                self._regular = stat.S_ISREG(os.fstat(1).st_mode)
            else:
                self._open()
        except OSError as error:
            raise ConfigError(
                f"The {what} {path!r} cannot be written: {error.strerror}. {remedy}", path=path
            ) from error

    def append(self, lines: Sequence[bytes]) -> int:
        """Append lines and return how many are written: to a file all of them or none.

        No line is torn or mixed with one of another process. Raises OSError when not one can be written.
        """
        with self.locked():
            if self._regular:
                self._append_all(b"".join(lines))
                return len(lines)
            return self._write_some(lines)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Keep others from writing while the block runs; it gets the descriptor of the file at the path.

        Raises OSError when there is no such file and none can be made.
        """
        self._lock()
        try:
            yield self._descriptor
        finally:
            with suppress(OSError):
                self._flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.path != STANDARD_OUTPUT and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        if Path(self.path).is_fifo():
            raise OSError(None, "it is a pipe, which waits for a reader")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o640)
        self._regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)

    def _lock(self) -> None:
        while True:
            if self.path != STANDARD_OUTPUT and self._moved():
                self.close()
                self._open()
            # What knows no locks has no other writer that could be kept out.
            with suppress(OSError):
                self._flock(self._descriptor, fcntl.LOCK_EX)
            # Whoever held the lock before may have moved the file away: what is written to it may be lost.
            if self.path == STANDARD_OUTPUT or not self._moved():
                return

    def _moved(self) -> bool:
        """Return whether the path leads to another file by now, or to none, as after a rotation."""
        if self._descriptor < 0:
            return True
        mine = os.fstat(self._descriptor)
        try:
            there = Path(self.path).stat()
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _append_all(self, data: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        if size and self.path != STANDARD_OUTPUT and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # A process was killed in the middle of its line.
            data = b"\n" + data
        try:
            self._write(data)
        except OSError:
            # A full disk takes the first part of a write; the lock keeps others from writing behind it.
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise

    def _write_some(self, lines: Sequence[bytes]) -> int:
        for count, line in enumerate(lines):
            try:
                self._write(line)
            except OSError:
                if not count:
                    raise
                return count
        return len(lines)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
