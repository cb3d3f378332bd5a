"""Requests counted by all processes of a machine together, in one file that each maps into its memory."""

import fcntl
import mmap
import os
import stat
import struct
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path

from assay.access.counting import LocalCounting, steady
from assay.access.gcra import NEVER, Verdict, take, untouched
from assay.access.rates import Rate
from assay.exceptions import ConfigError

WAYS, BUCKETS = 8, 8_192
"""A subject has one bucket, and there any of its slots: 65,536 slots, one megabyte."""

SLOT = struct.Struct("=8sq")
"""Digest of the subject, and the arrival time that ``gcra`` keeps."""

MEMORY = Path("/dev/shm")  # noqa: S108 - opened without following links, and only if it is our own
BUCKET_SIZE = SLOT.size * WAYS
SIZE = BUCKET_SIZE * BUCKETS
SUBJECTS_REMEMBERED = 4_096
"""Subjects whose slot need not be worked out again."""

LOCK_SECONDS = 0.1
"""How long the lock is waited for. It is held for microseconds, unless its holder got no processor meanwhile,
or was stopped."""

ALONE_SECONDS = 1.0
"""How long a process counts for itself after it waited in vain: a stopped one must not stop the others."""


def shared_file(home: Path) -> Path:
    """Return the file for the services of a home folder: in memory where the system has such a folder.

    There it ends with the machine, as does the monotonic clock that its times are of.
    """
    name = sha256(str(home.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = MEMORY if os.access(MEMORY, os.W_OK) else home
    return folder / f"assay-rates-{os.geteuid()}-{name}"


class SharedCounting:
    """Counts in a file of fixed size; processes that open the same one share every limit."""

    fault = ""

    def __init__(self, path: Path, *, clock: Callable[[], int] = steady) -> None:
        """Open or make the file; ``clock`` must be the same in all processes, as ``steady`` is.

        Raises ConfigError when the file cannot be used.
        """
        self._clock, self._local = clock, LocalCounting(clock=clock)
        self._alone_until = 0.0
        try:
            self._file = _open(path)
            self._slots = mmap.mmap(self._file, SIZE)
        except OSError as error:
            raise ConfigError(
                f"Requests cannot be counted for all workers in {str(path)!r}: {error.strerror or error}. "
                "Remove what is there, or make its folder writable for this user.",
                path=str(path),
            ) from error

    def close(self) -> None:
        """Let go of the file; what was counted stays in it."""
        self._slots.close()
        os.close(self._file)

    async def take(self, subject: str, rate: Rate) -> Verdict:
        """Count one request."""
        return self.take_now(subject, rate)

    def take_now(self, subject: str, rate: Rate, *, cost: int = 1) -> Verdict:
        """Count one request, or with a cost of 0 only look."""
        name, bucket = slot_of(subject)
        if not cost:
            place, arrival = self._find(name, bucket)
            return take(arrival, self._clock(), rate, cost=0)[1] if place >= 0 else untouched(rate)
        if not self._acquire():
            return self._local.take_now(subject, rate)
        try:
            place, arrival = self._find(name, bucket)
            arrival, verdict = take(arrival, self._clock(), rate)
            if place < 0:
                place = self._oldest(bucket)
            SLOT.pack_into(self._slots, place, name, arrival)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return verdict

    def _find(self, name: bytes, bucket: int) -> tuple[int, int]:
        """Return the place of a subject and its arrival time; -1 and NEVER for a new one."""
        place, end = self._slots.find(name, bucket, bucket + BUCKET_SIZE), bucket + BUCKET_SIZE
        while place >= 0 and (place - bucket) % SLOT.size:
            # Its bytes stand across two fields of others.
            place = self._slots.find(name, place + 1, end)
        return (place, SLOT.unpack_from(self._slots, place)[1]) if place >= 0 else (-1, NEVER)

    def _oldest(self, bucket: int) -> int:
        """Return the slot whose arrival time lies furthest back: forgetting it gives least away."""
        places = range(bucket, bucket + BUCKET_SIZE, SLOT.size)
        return min(places, key=lambda place: SLOT.unpack_from(self._slots, place)[1])

    def _acquire(self) -> bool:
        now = time.monotonic()
        if now < self._alone_until:
            return False
        while time.monotonic() <= now + LOCK_SECONDS:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(20e-6)
        self._alone_until = time.monotonic() + ALONE_SECONDS
        return False


@lru_cache(maxsize=SUBJECTS_REMEMBERED)
def slot_of(subject: str) -> tuple[bytes, int]:
    """Return the name that a subject has in its slot, and where its bucket begins."""
    digest = blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return digest[:8], int.from_bytes(digest[8:]) % BUCKETS * BUCKET_SIZE


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(0, "it is not a file of this user's own")
        # Another size is of another Assay: what it counted cannot be read.
        if found.st_size not in (0, SIZE):
            os.ftruncate(file, 0)
        # Blocks are taken now: a full disk is an error here, and not a signal at some request.
        os.posix_fallocate(file, 0, SIZE)
    except BaseException:
        os.close(file)
        raise
    return file
