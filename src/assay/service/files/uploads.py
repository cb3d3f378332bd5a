"""A request with a file: its bytes, however they are cut, to the file that they bring."""

from collections.abc import Iterable
from contextlib import ExitStack

import anyio
import anyio.to_thread
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from assay.service.errors import shown
from assay.service.files.forms import FIELD, Form, broken_form, no_file
from assay.service.files.keeping import MEDIA_TYPES, Kept, Upload
from assay.service.files.spool import Spool
from assay.service.files.unpacking import Counted, Target, Unpacked, refusal, too_large

FORM = "multipart/form-data"
CHARSETS = ("", "utf-8", "utf8", "us-ascii", "utf-16")
AROUND_BYTES = 64 * 1024
"""What a form may have around its file: boundaries and headers."""
AT_ONCE_BYTES = 256 * 1024
"""Bytes that are gathered on the event loop before a thread takes them."""


class Receiver:
    """Takes the bytes of one request, however they are cut, and gives the file that they bring.

    Parameters
    ----------
    content_type
        The request's header; it says whether the body is a form or the file itself.
    encoding
        The request's Content-Encoding.
    spool
        Where the file is kept.
    longest
        The most bytes that may come, and that the file may have when it is uncompressed.
    stack
        What closes, and so deletes, the file.
    """

    def __init__(
        self, content_type: str, encoding: str, spool: Spool, longest: int, stack: ExitStack
    ) -> None:
        media_type, options = parse_options_header(content_type)
        said = media_type.decode("latin-1")
        packed = _is_packed(encoding)
        if said == FORM:
            _check_boundary(options)
        else:
            _check_media_type(said, options, content_type)
        self._kept = Kept(spool, longest, stack)
        self._way: Target = self._kept
        if said == FORM:
            self._way = Form(options[b"boundary"], self._kept)
        else:
            self._kept.begin("", said)
        if packed:
            self._way = Unpacked(Counted(self._way, longest + AROUND_BYTES, longest), "The body")
        self._way = self._counted = Counted(self._way, longest + AROUND_BYTES, longest)

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the bytes that came.

        Raises RequestRefused, as every step on their way may.
        """
        for chunk in chunks:
            self._way.feed(chunk)

    def finish(self) -> Upload:
        """Return the file; raises RequestRefused when there is none, or not a whole one."""
        if not self._counted.size:
            raise refusal(400, "empty_body", "The request has no body. Send a file, like -F file=@texts.csv.")
        self._way.finish()
        if self._kept.format is None:
            raise no_file()
        return self._kept.upload(self._kept.format)


def _is_packed(encoding: str) -> bool:
    said = encoding.strip().lower()
    if said in ("", "identity"):
        return False
    if said in ("gzip", "x-gzip"):
        return True
    message = f"The body has the Content-Encoding {shown(encoding)}; send it with gzip, or as it is."
    raise refusal(415, "unsupported_encoding", message)


def _check_boundary(options: dict[bytes, bytes]) -> None:
    if not options.get(b"boundary"):
        raise broken_form("its Content-Type names no boundary")


def _check_media_type(said: str, options: dict[bytes, bytes], content_type: str) -> None:
    charset = options.get(b"charset", b"").decode("latin-1").lower()
    if said in MEDIA_TYPES and charset in CHARSETS:
        return
    what = f"Content-Type {shown(content_type)}" if content_type else "no Content-Type"
    known = ", ".join(MEDIA_TYPES)
    message = f"The request has {what}; send {FORM} with the field {FIELD!r}, or the file itself as {known}."
    raise refusal(415, "unsupported_media_type", message)


async def receive(
    request: Request, spool: Spool, longest: int, stack: ExitStack, threads: anyio.CapacityLimiter
) -> Upload:
    """Return the file that a request brings, kept until ``stack`` closes.

    Raises RequestRefused: 400 (no body, a broken form, damaged gzip), 413 (too long), 415 (another type,
    format or encoding), 422 (no file, two files, other fields), 507 or 503 (no room).
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > longest + AROUND_BYTES:
        raise too_large(longest)
    types, encodings = (
        ", ".join(request.headers.getlist(name)) for name in ("content-type", "content-encoding")
    )
    receiver = Receiver(types, encodings, spool, longest, stack)
    gathered: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        gathered.append(chunk)
        size += len(chunk)
        if size >= AT_ONCE_BYTES:
            await anyio.to_thread.run_sync(receiver.feed, gathered, limiter=threads)
            gathered, size = [], 0
    await anyio.to_thread.run_sync(receiver.feed, gathered, limiter=threads)
    return await anyio.to_thread.run_sync(receiver.finish, limiter=threads)
