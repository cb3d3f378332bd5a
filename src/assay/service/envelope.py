"""What surrounds every request: an id, a measurement, and an answer when something breaks."""

import logging
import re
import time
from asyncio import CancelledError
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.estimators import Decision, new_id
from assay.service.errors import error_response, shown
from assay.service.exchange import DEADLINE, UNMATCHED, Exchange
from assay.service.limits import MAX_REQUEST_ID_CHARACTERS
from assay.service.microbatching.counts import BatchSink
from assay.service.protection import missing_headers

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499
"""The status counted for a client that went away before its request was whole; nothing is sent."""

_SANE_ID = re.compile(rf"[A-Za-z0-9._:/+=@-]{{1,{MAX_REQUEST_ID_CHARACTERS}}}")


SwapOutcome = Literal["swapped", "refused", "went back"]
"""What became of a version that should answer: it does, it may not, or it failed and the one before does."""


class MetricsSink(BatchSink, Protocol):
    """Where the service counts what it does; ``telemetry.Counters`` is one."""

    content_type: str

    def request(self, exchange: Exchange) -> None:
        """Count one request that was answered, its error and the rows of its file."""

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""

    def rejected(self, reason: str, count: int = 1) -> None:
        """Count requests that were turned away although nothing was wrong with them."""

    def swapped(self, task: str, outcome: SwapOutcome) -> None:
        """Count an attempt to let another version answer for a task."""

    def serving(self, task: str, version: str) -> None:
        """Say which version answers for a task from now on; none when it is empty."""

    def degraded(self, part: str, trouble: bool) -> None:
        """Say whether a part that the service can do without is out of order."""

    def registry(self, answering: bool, age_seconds: float, wanted: int) -> None:
        """Say whether the registry answers, when it last did, and how many tasks wait for a version."""

    def feedback(self, task: str, outcome: str) -> None:
        """Count a label that somebody sent, by what became of it."""

    def load(
        self, *, delay: float, in_flight: int, connections: int, waiting: int = 0, texts: int = 0
    ) -> None:
        """Say how busy this process is; the delay of its event loop is in seconds.

        ``waiting`` counts the requests that wait for a thread, ``texts`` what they bring and what is decided
        there.
        """

    def statistics(self) -> dict[str, Any]:
        """Return what happened since the service started, in all processes, as ``/health`` shows it."""

    def render(self) -> bytes:
        """Return all counts as text of ``content_type``."""


class RequestLog(Protocol):
    """Where the service writes a line for each request; ``telemetry.RequestLog`` is one."""

    texts: bool
    """Whether lines hold the texts that were decided."""

    def write(self, exchange: Exchange) -> None:
        """Take note of one request that was answered; never waits for a disk."""


def sane_id(given: str) -> str:
    """Return the id that a client gave its request in ``X-Request-ID`` when it is sane, else a fresh one."""
    return given if given and _SANE_ID.fullmatch(given) else new_id()


class Envelope:
    """Middleware that names, measures and, when something breaks, answers every HTTP request.

    It also answers HEAD as GET without the body.
    """

    def __init__(self, app: ASGIApp, *, metrics: MetricsSink, log: RequestLog | None = None) -> None:
        self.app, self.metrics, self.log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on; anything but HTTP unchanged."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, state = scope["method"], scope.get("state", {})
        started = state.get("arrived", time.perf_counter())
        headers = Headers(scope=scope)
        exchange = Exchange(
            request_id=sane_id(headers.get("x-request-id", "")),
            method=method if method in METHODS else "other",
            path=scope["path"],
            address=(scope.get("client") or ("",))[0],
            deadline=headers.get(DEADLINE.lower(), ""),
            keeps_content=self.log is not None and self.log.texts,
        )
        inner = {**scope, "method": "GET" if method == "HEAD" else method}
        inner["state"] = {**state, "request_id": exchange.request_id, "exchange": exchange}
        outgoing = Outgoing(send, exchange, inner, without_body=method == "HEAD")
        try:
            await self._answer(inner, Incoming(receive, exchange), outgoing)
        finally:
            if cut := state.get("cut"):
                # The connection has ended this request in the middle of its body, and answered it.
                exchange.request_id, exchange.status, exchange.code = cut.request_id, cut.status, cut.code
            exchange.route = getattr(inner.get("route"), "path", UNMATCHED)
            exchange.seconds = time.perf_counter() - started
            self.metrics.request(exchange)
            if self.log is not None:
                self.log.write(exchange)

    async def _answer(self, scope: Scope, receive: Receive, outgoing: "Outgoing") -> None:
        exchange = outgoing.exchange
        try:
            await (self.app if "\0" not in scope["path"] else nothing_there)(scope, receive, outgoing)
            if not exchange.status:
                raise RuntimeError("the application ended without an answer")
            if not outgoing.whole:
                # Who streams stops without an error when nobody listens any more.
                exchange.status = CLIENT_GONE
        except (ClientDisconnect, CancelledError) as error:
            exchange.status = CLIENT_GONE
            if isinstance(error, CancelledError):
                raise
        except Exception:
            request_id, exchange.code = exchange.request_id, exchange.code or "internal_error"
            logger.exception("Request %s broke: %s %s", request_id, exchange.method, shown(scope["path"]))
            if exchange.status:
                # The server breaks the connection off, so that the client sees that its answer is not whole.
                raise
            message = f"The service failed at this request; its log says why under the id {request_id!r}."
            await error_response(request_id, 500, "internal_error", message)(scope, receive, outgoing)


async def nothing_there(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a path with a NUL, at which the file system raises where other names are only absent."""
    exchange: Exchange = scope["state"]["exchange"]
    exchange.code = "not_found"
    message = f"There is nothing at {shown(scope['path'])}. GET / lists what there is."
    await error_response(exchange.request_id, 404, exchange.code, message)(scope, receive, send)


class Incoming:
    """The way in of one request's body: counts its bytes, as they were sent."""

    def __init__(self, receive: Receive, exchange: Exchange) -> None:
        self.receive, self.exchange = receive, exchange

    async def __call__(self) -> Message:
        """Receive one message."""
        message = await self.receive()
        self.exchange.received += len(message.get("body", b""))
        return message


class Outgoing:
    """The way out of one request: adds its headers, notes the answer, drops the body of one to HEAD."""

    def __init__(self, send: Send, exchange: Exchange, scope: Scope, *, without_body: bool) -> None:
        self.send, self.exchange, self.scope, self.without_body = send, exchange, scope, without_body
        self.whole = False

    async def __call__(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.exchange.status = message["status"]
            headers = message["headers"] = list(message.get("headers", ()))
            # Looked up now: a proxy that is trusted may have told on the way in what was spoken with it.
            headers += missing_headers(headers, https=self.scope.get("scheme") == "https")
            headers.append((b"x-request-id", self.exchange.request_id.encode()))
        else:
            self.whole = not message.get("more_body", False)
            if self.without_body:
                message = {**message, "body": b""}
        self.exchange.sent += len(message.get("body", b""))
        try:
            await self.send(message)
        except RuntimeError as error:
            # The server hangs up on what is no HTTP, also where a good request came before it on the same
            # connection; uvloop tells whoever still answers that one in these words.
            if "handler is closed" not in str(error):
                raise
            raise ClientDisconnect from error
