"""Keeping house in the folder of the log: closed files are compressed, and in time deleted."""

import gzip
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.telemetry.decisions.names import STEM, active_name, names_in, uncompressed_in
from assay.telemetry.decisions.segment import Segment, sync_folder
from assay.telemetry.decisions.slots import Lock, keeping_house, slot_lock

logger = logging.getLogger(__name__)

ABANDONED_SECONDS = 60.0
"""How long the file of a slot that nobody holds lies unchanged before it is closed."""

STALE_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
LEVEL = 1
"""At 6, a file is a ninth smaller and takes two and a half times as long, as long as making its lines did."""
PART_BYTES = 1 << 18


class Interrupted(Exception):
    """The service stops; what was begun is done by the next."""


class Keeping:
    """Keeps house in one folder; of several workers one at a time does.

    Parameters
    ----------
    folder
        The folder of the log.
    days
        Days after which a closed file is deleted.
    stopping
        Says whether to leave off.
    clock, now
        Seconds that never jump, and the time of day, which may.
    """

    def __init__(
        self,
        folder: Path,
        *,
        days: float,
        stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._days, self._stopping = folder, days, stopping
        self._clock, self._now = clock, now
        self._began = now() - clock()
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._told: set[tuple[Path, str]] = set()

    def keep(self) -> None:
        """Do what is to be done now; what fails is told in the service's messages and tried again."""
        try:
            with keeping_house(self._folder) as mine:
                if mine:
                    for step in (self._sweep, self._close_abandoned, self._compress, self._delete):
                        step()
        except FileNotFoundError:
            # Nobody has written yet, or the folder was taken away: the writer makes it again.
            return
        except Interrupted:
            return
        except OSError as error:
            self._fault(self._folder, "be looked through", error)

    def today(self) -> float:
        """Return the time of day; a clock that was put forward since the start makes no file older."""
        return min(self._now(), self._began + self._clock())

    def _sweep(self) -> None:
        for path in [*self._folder.glob(f".{STEM}*.draft"), *self._folder.glob(".decision.key.*.draft")]:
            with self._faults(path, "be removed"):
                if abs(self._now() - path.stat().st_mtime) > STALE_SECONDS:
                    path.unlink()

    def _close_abandoned(self) -> None:
        active = [each for each in names_in(self._folder) if each.active]
        self._seen = {name.path: self._seen[name.path] for name in active if name.path in self._seen}
        for name in active:
            # The name alone does not tell: predictions-1.jsonl is nobody's file.
            if name.path.name != active_name(name.slot):
                continue
            with self._faults(name.path, "be closed"):
                self._close(name.path, name.slot)

    def _close(self, path: Path, slot: int) -> None:
        lock = Lock.take(slot_lock(self._folder, slot))
        if lock is None:
            return
        try:
            state = path.stat()
            seen = state.st_size, state.st_mtime_ns
            known, since = self._seen.get(path, (None, 0.0))
            if seen != known:
                self._seen[path] = seen, self._clock()
            elif self._clock() - since >= ABANDONED_SECONDS:
                segment = Segment(self._folder, slot, sync="batch")
                if segment.rotate() is None:
                    path.unlink()
                segment.close()
                del self._seen[path]
        finally:
            lock.release()

    def _compress(self) -> None:
        for path in uncompressed_in(self._folder):
            with self._faults(path, "be compressed"):
                compress(path, self._stopping)

    def _delete(self) -> None:
        oldest = self.today() - self._days * DAY_SECONDS
        for name in names_in(self._folder):
            if name.last is not None and name.last < oldest:
                with self._faults(name.path, "be deleted"):
                    name.path.unlink()
                    logger.info("%s is older than %g days and was deleted.", name.path, self._days)

    @contextmanager
    def _faults(self, path: Path, what: str) -> Iterator[None]:
        """Tell once of each file with which something fails, and go on with the next."""
        try:
            yield
        except FileNotFoundError:
            return
        except OSError as error:
            self._fault(path, what, error)

    def _fault(self, path: Path, what: str, error: OSError) -> None:
        if (path, what) not in self._told:
            self._told.add((path, what))
            logger.warning("%s cannot %s: %s", path, what, error.strerror or error)


def compress(path: Path, stopping: Callable[[], bool] = lambda: False) -> Path:
    """Replace a closed file by its compressed form, which takes its place whole; return that.

    Raises OSError, and Interrupted when it is to leave off; the file is as it was then.
    """
    packed = path.with_name(f"{path.name}.gz")
    if not packed.exists():
        draft = path.with_name(f".{packed.name}.draft")
        try:
            _pack(path, draft, stopping)
            draft.replace(packed)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    # Else a process was killed here: the compressed form was whole before it had its name.
    path.unlink()
    return packed


def _pack(path: Path, draft: Path, stopping: Callable[[], bool]) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as file, path.open("rb") as source:
        with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packing:
            while data := source.read(PART_BYTES):
                if stopping():
                    raise Interrupted
                packing.write(data)
        file.flush()
        os.fsync(file.fileno())
