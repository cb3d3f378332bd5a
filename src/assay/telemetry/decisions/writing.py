"""The folder of the log as one worker has it: its key, its slot, its file."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from assay.exceptions import ConfigError
from assay.telemetry.decisions.hashing import KEY_BYTES, Hashes, keep_key, make_key
from assay.telemetry.decisions.recording import TextPolicy
from assay.telemetry.decisions.segment import REMEDY, Segment, Sync
from assay.telemetry.decisions.slots import Lock, take_slot


@dataclass(frozen=True, kw_only=True)
class LogPolicy:
    """What the log keeps, and how: the settings ``decision_*``, which say what each is."""

    text: TextPolicy = "hash"
    key: str = ""
    sync: Sync = "second"
    share: float = 1.0
    rotate_bytes: int = 64 * 1024 * 1024
    rotate_seconds: float = 3600.0
    days: float = 30.0


class Writing:
    """Writes lines into one folder, in a slot of its own; makes again what is taken away meanwhile.

    Making one looks whether the folder can be used; the slot is taken by the first line, or by ``open``.
    Raises ConfigError for a folder or a key that cannot be used.
    """

    def __init__(
        self, folder: Path, policy: LogPolicy, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder, self._policy, self._clock = folder, policy, clock
        self._segment: Segment | None = None
        self._lock: Lock | None = None
        self._own_key = not policy.key
        self.rotated = 0
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            key = make_key(folder) if self._own_key else policy.key.encode()
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigError(
                f"The decision log's folder {str(folder)!r} cannot be used: {error.strerror}. {REMEDY}",
                path=folder,
            ) from error
        self.hashes = Hashes(key)

    def open(self) -> None:
        """Take the lowest free slot and go on in its file; raises OSError when none can be had."""
        if self._segment is None:
            slot, self._lock = take_slot(self.folder)
            try:
                self._segment = Segment(self.folder, slot, sync=self._policy.sync, clock=self._clock)
            except ConfigError as error:
                self._let_go()
                raise OSError(None, error.message) from error

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, all of them or none; raises OSError for none."""
        try:
            self._append(lines)
        except FileNotFoundError:
            self._make_again()
            self._append(lines)

    def tend(self) -> bool:
        """Force to disk and close what is due; return whether a file was closed. Raises OSError."""
        if self._segment is None:
            return False
        try:
            self._segment.force()
            if not self._segment.due(self._policy.rotate_bytes, self._policy.rotate_seconds):
                return False
            closed = self._segment.rotate() is not None
        except FileNotFoundError:
            self._make_again()
            return False
        self.rotated += closed
        return closed

    def close(self) -> None:
        """Force to disk what the policy asks for, and let others have the slot. Raises OSError."""
        try:
            if self._segment is not None:
                self._segment.close()
        finally:
            self._let_go()

    def _append(self, lines: Sequence[bytes]) -> None:
        self.open()
        if self._segment is not None:
            self._segment.append(lines)

    def _make_again(self) -> None:
        """Make the folder again, with the same key: else equal texts had unequal hashes from then on."""
        if self._segment is not None:
            self._segment.abandon()
        self._let_go()
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if self._own_key and len(self.hashes.key) == KEY_BYTES:
            keep_key(self.folder, self.hashes.key)

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._segment = self._lock = None
