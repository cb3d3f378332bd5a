"""Uploaded files in, the same files with their decisions out."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from assay.estimators import Cascade, Decision
from assay.exceptions import DataError
from assay.service.deciding import Deciding
from assay.service.exchange import Exchange, exchange_of
from assay.service.files.jobs import Asked, Job
from assay.service.files.keeping import Upload
from assay.service.files.spool import Spool
from assay.service.files.unpacking import refusal
from assay.service.files.uploads import receive
from assay.service.limits import FILE_THREADS, FILES_AT_ONCE, FILES_RETRY_SECONDS
from assay.service.microbatching import patient
from assay.service.routes import asked_for

if TYPE_CHECKING:
    from assay.datasets import Format
    from assay.scoring import Scored

T = TypeVar("T")

MEDIA_TYPES: "dict[Format, str]" = {
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
MAX_NAME = 100


class FileAnswer(StreamingResponse):
    """Sends a file part by part, and lets go of what it holds at the end, whatever that is.

    When scoring fails the connection is cut, so that no client takes a part of a file for the whole.
    """

    def __init__(
        self, parts: AsyncIterator[bytes], upload: Upload, exchange: Exchange, held: AsyncExitStack
    ) -> None:
        headers = {
            "Content-Disposition": disposition(upload.name, upload.format),
            "Cache-Control": "no-store",
        }
        super().__init__(parts, headers=headers, media_type=MEDIA_TYPES[upload.format])
        self._exchange, self._held = exchange, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        async with self._held:
            try:
                await super().__call__(scope, receive, send)
            except DataError:
                self._exchange.code = "unreadable_file"
                raise


class Files:
    """Takes uploaded files, as many at a time as a worker has places for, and scores them.

    Parameters
    ----------
    deciding
        The models, and where decisions are counted.
    spool
        Where files wait.
    """

    def __init__(self, deciding: Deciding, spool: Spool) -> None:
        self._deciding, self._spool = deciding, spool
        self._threads = anyio.CapacityLimiter(FILE_THREADS)
        # Those of costly models wait for a queue, and would hold up who only computes.
        self._waiting = anyio.CapacityLimiter(FILES_AT_ONCE)
        self._taken = 0

    async def answer(self, request: Request, asked: Asked) -> FileAnswer:
        """Return the answer to a request with a file, its first rows already decided.

        Raises RequestRefused: what ``cascade_of``, ``receive`` and ``Job.begin`` raise, and 503 when all
        places are taken.
        """
        task, version = asked_for(request)
        # One cascade for the whole file, whatever is swapped in meanwhile.
        cascade = await self._deciding.cascade_of(task, version)
        exchange, longest = exchange_of(request), self._deciding.limits.max_upload_bytes
        exchange.task, exchange.version = cascade.task.name, cascade.version
        async with AsyncExitStack() as stack:
            held = self._take_place(stack)
            upload = await receive(request, self._spool, longest, held, self._threads)
            threads = self._waiting if cascade.model.costly else self._threads
            scored = patient(cascade)
            job, first = await self._in_thread(
                lambda: Job.begin(scored, upload, asked, longest, held), threads
            )
            held_on = stack.pop_all()
        parts = self._parts(job, first, cascade, exchange, threads)
        return FileAnswer(parts, upload, exchange, held_on)

    def _take_place(self, stack: AsyncExitStack) -> ExitStack:
        if self._taken >= FILES_AT_ONCE:
            message = f"The service has {FILES_AT_ONCE} files in hand already. Try again in a while."
            refused = refusal(503, "too_many_files", message)
            refused.data["headers"] = {"Retry-After": str(FILES_RETRY_SECONDS)}
            raise refused
        self._taken += 1
        stack.callback(self._give_place)
        held = ExitStack()
        # The disk gives back a large file's blocks when it is closed, which takes its time.
        stack.push_async_callback(self._close, held)
        return held

    def _give_place(self) -> None:
        self._taken -= 1

    async def _close(self, held: ExitStack) -> None:
        with anyio.CancelScope(shield=True):
            await self._in_thread(held.close, self._threads)

    async def _in_thread(self, do: Callable[[], T], threads: anyio.CapacityLimiter) -> T:
        return await anyio.to_thread.run_sync(do, limiter=threads)

    async def _parts(
        self,
        job: Job,
        first: "Scored | None",
        cascade: Cascade,
        exchange: Exchange,
        threads: anyio.CapacityLimiter,
    ) -> AsyncIterator[bytes]:
        part = first
        while part is not None:
            decisions = [answer for answer in part.answers if isinstance(answer, Decision)]
            exchange.texts += len(decisions)
            exchange.row_errors += len(part.answers) - len(decisions)
            self._deciding.tell(cascade, part.texts, decisions, exchange)
            if part.content:
                yield part.content
            part = await self._in_thread(job.step, threads)


def disposition(name: str, format: "Format") -> str:
    """Return the header that names the answer's file (RFC 6266), after the name that a client gave its own.

    What is no plain character of a name is replaced in the first form, and escaped in the second.
    """
    name = name[:-3] if name.lower().endswith(".gz") else name
    stem = name.rpartition(".")[0] or name
    stem = "".join(each for each in stem if each.isprintable() and each not in '/\\"')[:MAX_NAME].strip(". ")
    whole = f"{stem or 'texts'}.scored.{format}"
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._- ") else "_" for each in whole)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"
