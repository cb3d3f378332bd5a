"""Progress on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REDRAW_SECONDS = 0.1
PACE_SECONDS = 2.0
"""How long a step must have run before its pace says when it ends."""


class Bar:
    """How far one long step has come; redrawn in place on a terminal, silent elsewhere."""

    def __init__(self, what: str, total: int | None, stream: TextIO, *, live: bool) -> None:
        self.what, self.total, self.done = what, total, 0
        self._stream, self._live, self._drawn = stream, live, 0.0
        self._began: tuple[float, int] | None = None

    def advance(self, amount: int) -> None:
        """Count ``amount`` more units as done."""
        now = time.monotonic()
        if self._began is None:
            # What a resumed step had done before says nothing of how long the rest takes.
            self._began = now, self.done + amount
        self.done += amount
        if self._live and now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._stream.write(f"\r\x1b[K  {self.what} {self._reading()}")
            self._stream.flush()

    def _reading(self) -> str:
        if not self.total:
            return f"{self.done:,}"
        share = min(self.done / self.total, 1.0)
        filled = round(share * 24)
        shown = f"[{'#' * filled}{'.' * (24 - filled)}] {share:4.0%}  {self.done:,} / {self.total:,}"
        return shown + self.left()

    def left(self) -> str:
        """Return how long the rest takes at the pace so far, as a clause; empty while that is not known."""
        if not self.total or self._began is None:
            return ""
        since, before = self._began
        seconds, done = time.monotonic() - since, self.done - before
        if seconds < PACE_SECONDS or done <= 0 or self.done >= self.total:
            return ""
        return f", about {duration(seconds * (self.total - self.done) / done)} left"


class Progress:
    """Says what is being done: each step by name while it runs, and in a line with its seconds when it ends.

    ``lines`` keeps every line, also when ``quiet`` keeps them from the stream.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty() and not quiet
        self._quiet = quiet
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Write one line."""
        self.lines.append(line)
        if not self._quiet:
            self._stream.write(f"{line}\n")
            self._stream.flush()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Name a step while it runs and say how long it took; an error leaves it unfinished."""
        if self._live:
            self._stream.write(f"  {what} ...")
            self._stream.flush()
        started = time.monotonic()
        try:
            yield
        finally:
            self._clear()
        self.say(f"  {what} ({time.monotonic() - started:.1f} s)")

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Bar]:
        """Show a bar of ``total`` units (unknown: a count) while the block runs."""
        try:
            yield Bar(what, total, self._stream, live=self._live)
        finally:
            self._clear()

    def _clear(self) -> None:
        """Take back an unfinished line, so that what follows, an error too, stands alone."""
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def duration(seconds: float) -> str:
    """Return a length of time for people.

    >>> [duration(s) for s in (4.2, 90, 5400)]
    ['4 s', '2 min', '1 h 30 min']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
