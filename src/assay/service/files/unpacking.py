"""Bytes on their way into the spool: counted, and uncompressed a step at a time."""

from typing import Protocol

from assay.exceptions import RequestRefused
from assay.service.inflating import Inflating


class Target(Protocol):
    """What takes bytes one piece after the other."""

    def feed(self, data: bytes) -> None:
        """Take some bytes."""

    def finish(self) -> None:
        """Take note that there are no more."""


class Counted:
    """Passes on at most so many bytes.

    ``feed`` raises RequestRefused with 413 for more.
    """

    def __init__(self, target: Target, most: int, told: int) -> None:
        self._target, self._most, self._told = target, most, told
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Pass bytes on."""
        self.size += len(data)
        if self.size > self._most:
            raise too_large(self._told)
        self._target.feed(data)

    def finish(self) -> None:
        """Pass the end on."""
        self._target.finish()


class Unpacked:
    """Passes on what gzip holds, a step at a time; ``what`` is compressed."""

    def __init__(self, target: Target, what: str) -> None:
        # However many members: tools that compress in parallel make one of every few kilobytes.
        self._target, self._inflating = target, Inflating(what)

    def feed(self, data: bytes) -> None:
        """Pass on what some bytes hold; raises RequestRefused with 400 for what is not gzip."""
        for piece in self._inflating.feed(data):
            self._target.feed(piece)

    def finish(self) -> None:
        """Pass the end on; raises RequestRefused with 400 when it is missing."""
        self._inflating.finish()
        self._target.finish()


def refusal(status: int, code: str, message: str) -> RequestRefused:
    """Return the refusal of a request for what its body is."""
    return RequestRefused(message, status=status, code=code)


def too_large(longest: int) -> RequestRefused:
    """Return the refusal of a file that is too long."""
    message = f"The file is longer than {longest:,} bytes, as it came or uncompressed. Split it."
    return refusal(413, "too_large", message)
