"""HTTP/1.1 on one connection: uvicorn's, with limits, and with every refusal in the one error shape."""

import asyncio
import fcntl
import termios
import time
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from assay.service.connections import refusals
from assay.service.connections.admission import is_exempt
from assay.service.connections.patience import Patience, Reading
from assay.service.connections.refusals import Refusal
from assay.service.connections.shortening import Shortening
from assay.service.envelope import METHODS, sane_id
from assay.service.exchange import Exchange
from assay.service.limits import (
    IDLE_SECONDS,
    LINGERING_CONNECTIONS,
    LOOK_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    RESERVED_CONNECTIONS,
    SKIPPED_BODY_BYTES,
)


class Connection(Shortening):
    """One connection.

    A request that may not come in is answered here with prepared bytes, before a task is made for it. Slow,
    malformed and oversized requests end the connection. The application's lifespan hands over the
    ``Entrance``, in its state.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.timeout_keep_alive = IDLE_SECONDS
        self.patience = Patience(self.entrance.limits)
        self._header_bytes = self._unparsed = 0
        self._active: RequestResponseCycle | None = None
        self._working = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.entrance.connections.add(self)
        count = len(self.entrance.connections) - self.entrance.lingering
        most = self.entrance.limits.max_connections
        self._crowded = count > most
        self.patience.begin(time.perf_counter(), hurried=self._crowded)
        if count > most + RESERVED_CONNECTIONS:
            self._end(refusals.OVERLOADED, "connections")

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_shortcut()
        self.entrance.connections.discard(self)
        if self.patience.lingering:
            self.entrance.lingering -= 1
        # Not cleared by uvicorn when the client broke off: its timer would hold this object.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    # What arrives

    def data_received(self, data: bytes) -> None:
        if self.patience.lingering:
            return
        self._arrived = time.perf_counter()
        self._idle_since = 0.0
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self.patience.begin(self._arrived)
        if self.patience.reading is Reading.HEADERS:
            self._unparsed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as it is, and is the last.
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            large = self._header_bytes > MAX_HEADER_BYTES or len(self.headers) > MAX_HEADERS
            self._end(refusals.HEADERS_TOO_LARGE if large else refusals.MALFORMED)
        else:
            # A line that does not end reaches no callback.
            if self._unparsed > 2 * MAX_HEADER_BYTES:
                self._end(refusals.HEADERS_TOO_LARGE)
            else:
                self._line_up()

    def on_message_begin(self) -> None:
        if self.patience.lingering:
            raise ValueError("the connection has had its last answer")
        super().on_message_begin()
        self.patience.begin(self._arrived)
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._measure(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))
        self._measure(len(name) + len(value))

    def _measure(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADER_BYTES or len(self.headers) > MAX_HEADERS:
            raise ValueError("the headers are too large")

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        self.patience.body_begins(self._arrived)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.patience.received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.patience.rest()
        self._unparsed = 0
        super().on_message_complete()

    def _complete_message(self) -> None:
        super()._complete_message()
        if self._active is self.cycle:
            self._begin_work()

    # Who comes in

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ARG002
        """Start answering a request, or turn it away; called when it is this request's turn."""
        if self._crowded or self.entrance.draining:
            cycle.keep_alive = False
        exempt = is_exempt(cycle.scope["path"])
        if not exempt and (reason := self.entrance.reason_to_refuse(crowded=self._crowded)):
            self._refuse(cycle, reason)
            return
        self._active = cycle
        if not cycle.more_body:
            self._begin_work()
        super()._start_asgi_task(cycle, partial(self._answer, cycle))

    async def _answer(self, cycle: RequestResponseCycle, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request unless it has waited too long for its turn."""
        try:
            reason = (
                "" if is_exempt(scope["path"]) else self.entrance.reason_to_drop(scope["state"]["arrived"])
            )
            if reason and not cycle.disconnected:
                self._refuse(cycle, reason)
            else:
                await self.app(scope, receive, send)
        finally:
            if self._active is cycle:
                self._end_work()

    def _begin_work(self) -> None:
        # Counted when it came whole: slow bodies of a few clients must not use up what all may have.
        if not self._working:
            self._working = True
            self.entrance.in_flight += 1

    def _end_work(self) -> None:
        self._active = None
        if self._working:
            self._working = False
            self.entrance.in_flight -= 1

    # What is answered without the application

    def _refuse(self, cycle: RequestResponseCycle, reason: str) -> None:
        """Turn a request away; its connection goes on where that is the cheaper way."""
        if cycle.waiting_for_100_continue or _rest_of(cycle) > SKIPPED_BODY_BYTES:
            cycle.keep_alive = False
        without_body = cycle.scope["method"] == "HEAD"
        request_id = sane_id(_given_id(cycle.scope))
        answer = refusals.OVERLOADED.answer(request_id, close=not cycle.keep_alive, without_body=without_body)
        self.transport.write(answer)
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        self.entrance.note_refusal(reason)
        if self.entrance.log is not None:
            exchange = self._exchange(cycle.scope, refusals.OVERLOADED)
            exchange.request_id = request_id
            self.entrance.log.write(exchange)
        if not cycle.keep_alive:
            self._linger()
        elif self.pipeline:
            # Not at once: a thousand requests behind this one would be a thousand calls deep.
            self.loop.call_soon(self.on_response_complete)
        else:
            self.on_response_complete()

    def _end(self, refusal: Refusal, reason: str = "") -> None:
        """Answer with an error and end the connection."""
        waited = self._plain is not None
        self._leave_shortcut()
        cycle = self.cycle
        # Let in only now, it may have been turned away, which was its answer.
        answered = waited and cycle.response_complete
        if answered or self.patience.lingering or self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete:
            scope = self.scope or ({"headers": self.headers} if self._begun else {})
            exchange = self._exchange(scope, refusal)
            self.transport.write(refusal.answer(exchange.request_id, close=True))
            self.entrance.note(exchange)
            if reason:
                self.entrance.note_refusal(reason)
            self._linger()
        elif cycle is self._active and cycle.more_body:
            self._end_reading(cycle, refusal)
        else:
            # An earlier request is still being answered, and its answer will be the last.
            for each in (cycle, self._active):
                if each is not None:
                    each.keep_alive = False
            self.pipeline.clear()
            self.patience.rest()

    def _end_reading(self, cycle: RequestResponseCycle, refusal: Refusal) -> None:
        """Tell the application, which waits for the rest of a body, that it will not come."""
        if cycle.response_started:
            self.transport.close()
        else:
            # The application's side counts the request, with the answer that was given here.
            cut = cycle.scope["state"]["cut"] = self._exchange(cycle.scope, refusal)
            self.transport.write(refusal.answer(cut.request_id, close=True))
            self._linger()
        cycle.disconnected = True
        cycle.message_event.set()

    def _linger(self) -> None:
        """Close, but read on for a while: closed with unread bytes, TCP would take the answer back."""
        self._unset_keepalive_if_required()
        if self.entrance.lingering < LINGERING_CONNECTIONS and self.transport.can_write_eof():
            self.transport.write_eof()
            self.patience.linger(time.perf_counter())
            self.entrance.lingering += 1
            self.flow.resume_reading()
        else:
            self.transport.close()

    def _exchange(self, scope: Any, refusal: Refusal) -> Exchange:
        method = scope.get("method", "")
        return Exchange(
            request_id=sane_id(_given_id(scope)),
            method=method if method in METHODS else "other",
            path=scope.get("path", ""),
            address=self.client[0] if self.client else "",
            status=refusal.status,
            code=refusal.code,
            seconds=time.perf_counter() - self._arrived,
        )

    # The passing of time

    def look(self, now: float) -> None:
        """End the connection where its client takes too long."""
        if self.patience.lingering:
            if self.patience.is_over(now):
                self.transport.abort()
        elif self.patience.is_stalled(now, self.transport.get_write_buffer_size()):
            self.transport.abort()
        elif self.flow.read_paused:
            # It is the service that does not read.
            self.patience.excuse(LOOK_SECONDS)
        elif self.patience.is_over(now, leaving=self.entrance.closed):
            if self.patience.reading is Reading.BODY:
                self._end(refusals.BODY_LATE)
            elif not self._begun and self.entrance.closed:
                self.transport.close()
            else:
                self._end(refusals.HEADERS_LATE)
        elif self._idle_since and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()

    def shutdown(self) -> None:
        """End the connection when the service stops, but not before what came over it is answered."""
        self._leave_shortcut()
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy:
            super().shutdown()
        elif self.patience.reading is None and not self._has_unread():
            self.transport.close()

    def _has_unread(self) -> bool:
        waiting = bytearray(4)
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, waiting)
        return any(waiting)


def _rest_of(cycle: RequestResponseCycle) -> int:
    """Return how many bytes of a body are to come at most; more than are skipped where nobody knows."""
    if not cycle.more_body:
        return 0
    headers = dict(cycle.scope["headers"])
    if b"transfer-encoding" in headers:
        return SKIPPED_BODY_BYTES + 1
    return int(headers.get(b"content-length", b"0"))


def _given_id(scope: Any) -> str:
    """Return the id that the client gave its request, whatever it is."""
    headers = scope.get("headers", ())
    return next((value for name, value in headers if name == b"x-request-id"), b"").decode("latin-1")
