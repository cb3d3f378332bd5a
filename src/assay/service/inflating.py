"""Gzip, uncompressed step by step: never more of it in memory than may be."""

import zlib
from collections.abc import Iterator

from starlette.requests import Request

from assay.exceptions import RequestRefused
from assay.service.errors import shown

GZIP = 16 + zlib.MAX_WBITS
STEP = 64 * 1024
"""Bytes that are uncompressed at a time."""

CODINGS = "gzip, identity"
"""What a body may be encoded with."""


def is_gzip(request: Request) -> bool:
    """Return whether a body comes compressed with gzip.

    Raises RequestRefused with 415, naming what is allowed, for any other encoding and for several.
    """
    given = ", ".join(request.headers.getlist("content-encoding")).strip().lower()
    if given in ("", "identity"):
        return False
    if given in ("gzip", "x-gzip"):
        return True
    raise RequestRefused(
        f"The body has the Content-Encoding {shown(given)}; send it with gzip, or as it is.",
        status=415,
        code="unsupported_encoding",
        headers={"Accept-Encoding": CODINGS},
    )


class Inflating:
    """Uncompresses gzip, piece by piece; ``what`` is compressed, in at most so many members."""

    def __init__(self, what: str, *, most_members: int | None = None) -> None:
        self._what, self._most = what, most_members
        self._member = zlib.decompressobj(GZIP)
        self._members = 1
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a chunk holds, at most STEP bytes at a time; whoever has enough stops asking.

        Raises RequestRefused with 400 for what is not gzip, or has too many members.
        """
        while chunk:
            if self._member.eof:
                # Files of gzip may stand one after the other, with zeros after the last (RFC 1952).
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._next_member()
            self._begun = True
            try:
                piece = self._member.decompress(chunk, STEP)
            except zlib.error as error:
                reason = str(error).partition(": ")[2] or str(error)
                raise self._refusal(f"it is damaged, or something else follows it ({reason})") from None
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                yield piece
        # What the window still holds when the last byte of input came together with a full step.
        while not self._member.eof and (piece := self._member.decompress(b"", STEP)):
            yield piece

    def finish(self) -> None:
        """Raise RequestRefused with 400 when the end is missing; what is empty has none."""
        if self._begun and not self._member.eof:
            raise self._refusal("its end is missing")

    def _next_member(self) -> None:
        # Each costs an allocation, and an empty one is 20 bytes long.
        self._members += 1
        if self._most is not None and self._members > self._most:
            raise self._refusal(f"it has more than {self._most} members")
        self._member = zlib.decompressobj(GZIP)

    def _refusal(self, reason: str) -> RequestRefused:
        message = f"{self._what} is not the gzip that it is said to be: {reason}."
        return RequestRefused(message, status=400, code="invalid_gzip")
