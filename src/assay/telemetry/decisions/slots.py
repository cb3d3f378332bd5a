"""Who writes which file: locks that end with their process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from assay.telemetry.decisions.names import STEM

HOUSE_LOCK = "house.lock"
MOST_SLOTS = 10_000


class Lock:
    """A lock file; whoever has it is known to live, as the system lets go of it when a process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, wait: bool = False) -> Self | None:
        """Return the lock; None while somebody else has it, unless ``wait``. Raises OSError."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                if _is_at(descriptor, path):
                    return cls(descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            # The folder went away meanwhile: a lock on a file that nobody finds keeps nobody out.
            os.close(descriptor)

    def release(self) -> None:
        """Let others have it; the file stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _is_at(descriptor: int, path: Path) -> bool:
    mine = os.fstat(descriptor)
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def slot_lock(folder: Path, slot: int) -> Path:
    """Return the file by which a worker holds a slot."""
    return folder / f"{STEM}-{slot}.lock"


def take_slot(folder: Path) -> tuple[int, Lock]:
    """Return the lowest slot that no living worker has, and the lock that holds it. Raises OSError."""
    for slot in range(1, MOST_SLOTS):
        lock = Lock.take(slot_lock(folder, slot))
        if lock is not None:
            return slot, lock
    raise OSError(None, f"all of its {MOST_SLOTS:,} slots are taken")


@contextmanager
def keeping_house(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold, while the block runs, the lock of whoever replaces or removes closed files of the log.

    It yields False where somebody else has it and ``wait`` is not asked for. Raises OSError.
    """
    lock = Lock.take(folder / HOUSE_LOCK, wait=wait)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()
