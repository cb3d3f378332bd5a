"""Progress on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REDRAW_SECONDS = 0.1


class Bar:
    """How far one long step has come; redrawn in place on a terminal, silent elsewhere."""

    def __init__(self, what: str, total: int | None, stream: TextIO, *, live: bool) -> None:
        self.what, self.total, self.done = what, total, 0
        self._stream, self._live, self._drawn = stream, live, 0.0

    def advance(self, amount: int) -> None:
        """Count ``amount`` more units as done."""
        self.done += amount
        now = time.monotonic()
        if self._live and now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._stream.write(f"\r\x1b[K  {self.what} {self._reading()}")
            self._stream.flush()

    def _reading(self) -> str:
        if not self.total:
            return f"{self.done:,}"
        share = min(self.done / self.total, 1.0)
        filled = round(share * 24)
        return f"[{'#' * filled}{'.' * (24 - filled)}] {share:4.0%}  {self.done:,} / {self.total:,}"


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
