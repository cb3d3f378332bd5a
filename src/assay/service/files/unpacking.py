"""Bytes on their way into the spool: counted, and uncompressed a step at a time."""

import zlib
from collections.abc import Iterator
from typing import Protocol

from assay.exceptions import RequestRefused

STEP = 64 * 1024
"""Bytes that are uncompressed at a time."""


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
        self._target, self._what = target, what
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Pass on what some bytes hold; raises RequestRefused with 400 for what is not gzip."""
        for piece in self._pieces(data):
            self._target.feed(piece)

    def finish(self) -> None:
        """Pass the end on; raises RequestRefused with 400 when it is missing."""
        if self._begun and not self._member.eof:
            raise self._refusal("its end is missing")
        self._target.finish()

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                # Files of gzip may stand one after the other, with zeros after the last (RFC 1952).
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            self._begun = True
            try:
                piece = self._member.decompress(data, STEP)
                data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
                yield piece
            except zlib.error:
                raise self._refusal("it is damaged, or something else") from None

    def _refusal(self, why: str) -> RequestRefused:
        message = f"{self._what} is not the gzip that it is said to be: {why}."
        return refusal(400, "invalid_gzip", message)


def refusal(status: int, code: str, message: str) -> RequestRefused:
    """Return the refusal of a request for what its body is."""
    return RequestRefused(message, status=status, code=code)


def too_large(longest: int) -> RequestRefused:
    """Return the refusal of a file that is too long."""
    message = f"The file is longer than {longest:,} bytes, as it came or uncompressed. Split it."
    return refusal(413, "too_large", message)
