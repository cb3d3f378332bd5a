"""Requests that are plain enough to be answered without the application: what such a request brings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_BYTES = 32_768
"""A longer body goes the ordinary way: what is answered on the event loop holds up everybody meanwhile."""

JSON_TYPES = frozenset(
    {"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}
)

TOLD = {
    b"content-type": "content-type",
    b"content-length": "content-length",
    b"x-request-id": "x-request-id",
    b"authorization": "authorization",
    b"x-api-key": "x-api-key",
    b"x-forwarded-for": "x-forwarded-for",
    b"x-forwarded-proto": "x-forwarded-proto",
}
"""The headers that matter to a decision, as they are read of a plain request."""

NOT_PLAIN = frozenset(
    {b"content-encoding", b"transfer-encoding", b"trailer", b"expect", b"upgrade", b"origin"}
)
"""Headers with which a request goes the ordinary way, whatever they say."""


class Peer(NamedTuple):
    """Who is connected, and to what."""

    client: str
    server: str
    https: bool


@dataclass(slots=True)
class PlainRequest:
    """A plain request: its headers, and of its body what has come."""

    url: bytes
    headers: dict[str, str]
    length: int
    arrived: float
    """When its first byte came, on the monotonic clock."""
    pieces: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """What has come of the body."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def read_plain(url: bytes, headers: Sequence[tuple[bytes, bytes]], arrived: float) -> PlainRequest | None:
    """Return a request whose headers are plain, None for another: the ordinary way knows what it means.

    Plain is JSON of a known length that is not large, each header that matters at most once.
    """
    told: dict[str, str] = {}
    for name, value in headers:
        if key := TOLD.get(name):
            if key in told:
                return None
            told[key] = value.decode("latin-1")
        elif name in NOT_PLAIN:
            return None
    length = told.get("content-length", "")
    if not (length.isdecimal() and len(length) <= 5 and 0 < int(length) <= MOST_BYTES):
        return None
    if told.get("content-type", "").lower() not in JSON_TYPES:
        return None
    return PlainRequest(url, told, int(length), arrived)
