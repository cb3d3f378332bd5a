"""What waits to be written: taken at once, written by a thread of its own, dropped when there is too much."""

import logging
import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_SECONDS = 0.2
"""Between two writes; what came in this time is lost when the process is killed."""

STOP_SECONDS = 5.0
"""How long the end of the service waits for a disk."""


class Bounds(NamedTuple):
    """How much may wait for the disk; more is dropped."""

    lines: int
    content: int
    """Characters of texts."""


class Taken(NamedTuple, Generic[T]):
    """What was taken from a backlog to be written, and how many were dropped before it."""

    items: list[T]
    lines: int
    content: int
    lost: int
    since: float
    """When the oldest came, by ``time.monotonic``; infinite where there is none."""


class Backlog(ABC, Generic[T]):
    """Takes things at once; a thread of its own writes them.

    Parameters
    ----------
    called
        What is written, as messages begin: ``The request log PATH``.
    counted
        What has a line, as messages say it: ``requests``.
    bounds
        How much may wait.
    pause
        Seconds between two looks at what waits.
    on_trouble
        Told whether writing fails, when that changes.
    """

    def __init__(
        self, called: str, counted: str, bounds: Bounds, *, pause: float, on_trouble: Callable[[bool], None]
    ) -> None:
        self._called, self._counted, self._bounds, self._pause = called, counted, bounds, pause
        self._on_trouble = on_trouble
        self._lock = threading.Lock()
        self._waiting: deque[tuple[T, int, int, float]] = deque()
        self._lines = self._content = self._lost = 0
        self._stopping = threading.Event()
        self.dropped = 0
        """How many had to be dropped since the start."""
        self.trouble = ""
        """Why nothing can be written at present; empty when it can."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write while the block runs, and at its end what is left, if the disk takes it soon enough."""
        name = self._called.removeprefix("The ")
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join(STOP_SECONDS)
            if lost := self._left():
                logger.error("%s has no line of %s %s.", self._called, f"{lost:,}", self._counted)
            if not thread.is_alive():
                self._close()

    @abstractmethod
    def _write_batch(self) -> bool:
        """Write some of what waits; return whether more waits that can be written at once."""

    @abstractmethod
    def _close(self) -> None:
        """Close the file, after the last line."""

    def _left(self) -> int:
        """Return how many have no line at the end and were in no message yet."""
        return self._lines + self._lost

    def _offer(self, item: T, lines: int, content: int) -> bool:
        """Let something wait; return False where there is no room for it, and it is dropped."""
        with self._lock:
            full = self._lines >= self._bounds.lines or self._content + content > self._bounds.content
            if full or self._stopping.is_set():
                self._lost += lines
                self.dropped += lines
                return False
            self._waiting.append((item, lines, content, time.monotonic()))
            self._lines += lines
            self._content += content
            return True

    def _take(self, most: int) -> Taken[T]:
        """Take what waits, oldest first, up to about so many lines; its room is kept until ``_let_go``."""
        items: list[T] = []
        lines = content = 0
        since = self._oldest() or math.inf
        # Nobody else takes, so it goes without the lock, and whoever offers does not wait for it.
        while self._waiting and lines < most:
            item, more, longer, _ = self._waiting.popleft()
            items.append(item)
            lines += more
            content += longer
        with self._lock:
            lost, self._lost = self._lost, 0
        return Taken(items, lines, content, lost, since)

    def _oldest(self) -> float | None:
        """Return when the oldest of what waits came, by ``time.monotonic``."""
        try:
            return self._waiting[0][3]
        except IndexError:
            return None

    def _let_go(self, lines: int, content: int) -> None:
        """Give room back that what was taken had."""
        with self._lock:
            self._lines -= lines
            self._content -= content

    def _run(self) -> None:
        stopping = False
        while not stopping:
            # What comes between the last look and the end would wait for ever, so it looks once more.
            stopping = self._stopping.wait(self._pause)
            while self._write_batch():
                pass

    def _tell(self, reason: str) -> None:
        """Say once that nothing can be written and why, and once that it can again."""
        before, self.trouble = self.trouble, reason
        if bool(reason) == bool(before):
            return
        self._on_trouble(bool(reason))
        if reason:
            kept = f"Up to {self._bounds.lines:,} lines wait in memory; more are dropped and counted."
            logger.error("%s cannot be written: %s. %s", self._called, reason, kept)
        else:
            logger.warning("%s is written again.", self._called)
