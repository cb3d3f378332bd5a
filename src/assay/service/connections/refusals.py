"""Answers that the protocol gives by itself, prepared as bytes so that they cost next to nothing."""

import json
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from assay.service.limits import MAX_HEADER_BYTES, MAX_HEADERS, RETRY_SECONDS


@dataclass(frozen=True)
class Refusal:
    """An error in the one shape; only the id of the request is left to fill in."""

    status: int
    code: str
    message: str
    retry: bool = False
    """Whether the client is told to come back."""

    @cached_property
    def _head(self) -> bytes:
        phrase = HTTPStatus(self.status).phrase
        retry = f"retry-after: {RETRY_SECONDS}\r\n" if self.retry else ""
        return (
            f"HTTP/1.1 {self.status} {phrase}\r\ncontent-type: application/json\r\n{retry}"
            "x-content-type-options: nosniff\r\ncontent-length: "
        ).encode()

    @cached_property
    def _body(self) -> bytes:
        error = {"code": self.code, "message": self.message, "detail": [], "request_id": ""}
        return json.dumps({"error": error}, separators=(",", ":")).encode().removesuffix(b'"}}')

    def answer(self, request_id: str, *, close: bool, without_body: bool = False) -> bytes:
        """Return the whole answer; the id must be a sane one."""
        name = request_id.encode()
        body = b'%b%b"}}' % (self._body, name)
        end = b"connection: close\r\n\r\n" if close else b"\r\n"
        head = b"%b%d\r\nx-request-id: %b\r\n%b" % (self._head, len(body), name, end)
        return head if without_body else head + body


OVERLOADED = Refusal(
    503, "overloaded", "The service has more requests than it can answer. Send this one again later.", True
)
HEADERS_LATE = Refusal(
    408, "request_timeout", "The headers of the request did not come in time. Send it again."
)
BODY_LATE = Refusal(408, "request_timeout", "The body of the request did not come in time. Send it again.")
HEADERS_TOO_LARGE = Refusal(
    431,
    "headers_too_large",
    f"The request line and headers are longer than {MAX_HEADER_BYTES:,} bytes or more than {MAX_HEADERS}.",
)
MALFORMED = Refusal(400, "malformed_request", "What came is not a request of HTTP/1.1.")
