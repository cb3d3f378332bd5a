"""Raw requests to a real socket, and what the hot route made of them."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from assay.service.connections import Peer, PlainRequest
from assay.service.hotroute import HotRoute

ORDINARY = "Trailer: X-Nothing"
"""A header that says nothing, with which a request is not plain."""

JSON = "Content-Type: application/json"


class Answer(NamedTuple):
    """An answer without what is never the same: date and ids."""

    status: int
    headers: Mapping[str, str]
    body: object


@dataclass
class Heat:
    """Remembers of each request that came to the hot route whether it was answered there."""

    answered: list[bool] = field(default_factory=list)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Watch every hot route."""
        answer = HotRoute.answer

        def watched(route: HotRoute, request: PlainRequest, peer: Peer) -> bytes | None:
            given = answer(route, request, peer)
            self.answered.append(given is not None)
            return given

        patch.setattr(HotRoute, "answer", watched)


def post(body: bytes, *headers: str, path: str = "/predict", line: str = "") -> bytes:
    """Return a raw request with a length."""
    line = line or f"POST {path} HTTP/1.1"
    lines = [line, "Host: loopback", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def text(value: object, **more: object) -> bytes:
    """Return a body with a text."""
    return json.dumps({"text": value, **more}).encode()


def ordinarily(request: bytes) -> bytes:
    """Return the same request so that it is not plain."""
    return request.replace(b"\r\n", f"\r\n{ORDINARY}\r\n".encode(), 1)


def connect(address: str) -> socket.socket:
    """Open a connection."""
    parts = urlsplit(address)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20)


def read(connection: socket.socket) -> bytes:
    """Return one whole answer with a length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    assert len(body) == length
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(65_536)
    assert part, "the service hung up"
    return part


def ask(address: str, request: bytes) -> bytes:
    """Return the raw answer to one request."""
    with connect(address) as connection:
        connection.sendall(request)
        return read(connection)


def parse(raw: bytes) -> Answer:
    """Return what an answer says."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines), "a header twice"
    value = json.loads(body) if body else None
    return Answer(int(first.split()[1]), without_ids(headers), without_ids(value))


def without_ids(value: object) -> object:
    """Return a value without ids that are made anew for each request; the names stay."""
    fresh = ("id", "request_id", "x-request-id", "date")
    if isinstance(value, list):
        return [without_ids(each) for each in value]
    if isinstance(value, dict):
        return {name: "" if name in fresh else without_ids(each) for name, each in value.items()}
    return value
