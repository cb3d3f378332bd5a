"""Compressed answers for clients that take them."""

import zlib

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.service.inflating import GZIP
from assay.service.limits import COMPRESSED_FROM

LEVEL = 5
"""Decisions shrink to a ninth at 5; at 9 it takes twice as long for three per cent less."""

INLINE_BYTES = 128 * 1024
"""From this size on a thread compresses, so that the event loop is free meanwhile."""

TYPES = ("text/", "application/json", "application/x-ndjson", "application/javascript", "image/svg+xml")
"""What shrinks. A Parquet file or a picture is compressed already."""

UNTOUCHED = frozenset({204, 206, 304})
"""Statuses without a whole body of their own."""


def accepts_gzip(header: str) -> bool:
    """Return whether an ``Accept-Encoding`` takes gzip; a quality of 0 says no (RFC 9110, 12.5.3)."""
    qualities = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((each.removeprefix("q=") for each in parameters if each.startswith("q=")), "1")
        qualities[name] = quality.replace("0", "").strip(".") != ""
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", False)))


class Compressing:
    """Middleware that compresses long answers, whole or streamed, for clients that accept gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, its answer through a Squeeze."""
        if scope["type"] == "http":
            accepted = accepts_gzip(", ".join(Headers(scope=scope).getlist("accept-encoding")))
            send = Squeeze(send, accepted)
        await self.app(scope, receive, send)


class Squeeze:
    """The way out of one answer: waits for the first piece of the body, then compresses or does not."""

    def __init__(self, send: Send, accepted: bool) -> None:
        self.send, self.accepted = send, accepted
        self._start: Message | None = None
        self._packer: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message on; the start of an answer together with its first piece."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] == "http.response.body":
            if self._start is not None:
                self._choose(self._start, message)
            message = await self._packed(message)
        if self._start is not None:
            start, self._start = self._start, None
            await self.send(start)
        await self.send(message)

    def _choose(self, start: Message, first: Message) -> None:
        headers = MutableHeaders(scope=start)
        if start["status"] == 304:
            headers.add_vary_header("Accept-Encoding")
        shrinks = headers.get("content-type", "").startswith(TYPES) and "content-encoding" not in headers
        long = first.get("more_body", False) or len(first.get("body", b"")) >= COMPRESSED_FROM
        if not (shrinks and long) or start["status"] in UNTOUCHED:
            return
        headers.add_vary_header("Accept-Encoding")
        if self.accepted:
            headers["Content-Encoding"] = "gzip"
            del headers["Content-Length"]
            if headers.get("etag", "").startswith('"'):
                # Other bytes under one name: what is the same is the content (RFC 9110, 8.8.1).
                headers["ETag"] = f"W/{headers['etag']}"
            self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    async def _packed(self, message: Message) -> Message:
        if self._packer is None:
            return message
        body, more = message.get("body", b""), message.get("more_body", False)
        if len(body) < INLINE_BYTES:
            packed = self._pack(body, more)
        else:
            packed = await anyio.to_thread.run_sync(self._pack, body, more)
        if self._start is not None and not more:
            MutableHeaders(scope=self._start)["Content-Length"] = str(len(packed))
        return {**message, "body": packed}

    def _pack(self, body: bytes, more: bool) -> bytes:
        assert self._packer is not None
        # Flushed after each piece, so that a reader of a stream has all that was said.
        return self._packer.compress(body) + self._packer.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
