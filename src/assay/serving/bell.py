"""How one worker tells the others to look at once: a file that changes."""

import contextlib
import os
import time
import uuid
from pathlib import Path


class Bell:
    """A file that the workers of one service look at; without one nobody else hears it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def ring(self) -> None:
        """Tell every worker; one that cannot be told finds out by itself within ``poll_seconds``."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            draft = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}")
            draft.touch()
            # Two rings within a tick of the file system's clock are two all the same.
            moment = time.time_ns()
            os.utime(draft, ns=(moment, moment))
            draft.replace(self._path)

    def heard(self) -> tuple[int, int] | None:
        """Return what is another thing after each ring; one look at a file's state."""
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
