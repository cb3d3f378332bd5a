"""The state that all connections of one process share: how busy it is, and whether it is about to stop."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from assay.exceptions import RequestRefused
from assay.service.connections.admission import Load, reason_to_refuse
from assay.service.connections.line import Line
from assay.service.connections.plain import Peer, PlainRequest
from assay.service.envelope import MetricsSink, RequestLog
from assay.service.exchange import Exchange
from assay.service.limits import LOOK_SECONDS, WATCH_SECONDS, Limits


class Watched(Protocol):
    """A connection that is looked at now and then."""

    def look(self, now: float) -> None:
        """End the connection where its client takes too long."""


class Shortcut(Protocol):
    """Answers plain requests at once, where it can; ``hotroute.HotRoute`` is one."""

    def leads_to(self, url: bytes) -> bool:
        """Return whether requests of an address may be answered here."""

    def answer(self, request: PlainRequest, peer: Peer) -> bytes | None:
        """Return an answer of 200 from its headers on; None, and nothing done, where another way must."""


class Queue(NamedTuple):
    """Requests that wait for a thread to decide them, and the texts that wait or are decided there."""

    waiting: int = 0
    texts: int = 0


class Entrance:
    """Where every request comes in: it knows how much is under way and what the process can take."""

    def __init__(self, limits: Limits, metrics: MetricsSink, log: RequestLog | None = None) -> None:
        self.limits, self.metrics, self.log = limits, metrics, log
        self.connections: set[Watched] = set()
        self.in_flight = 0
        self.lingering = 0
        self.draining = False
        """True from the signal on: answers ask the clients to connect anew, readiness says no."""
        self.closed = False
        """True once no connection is accepted any more."""
        self.delay = 0.0
        self.queue: Callable[[], Queue] = Queue
        """Tells what is behind the entrance, for the metrics."""
        self.shortcut: Shortcut | None = None
        """Where plain requests are answered without the application."""
        self.line = Line()
        """Those requests, from when they have come whole until their turn."""
        self._refused: Counter[str] = Counter()
        self._due = self._looked = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the event loop and the connections as long as the block runs."""
        self._due = self._looked = time.perf_counter()
        self._watch(asyncio.get_running_loop())
        try:
            yield
        finally:
            assert self._timer is not None
            self._timer.cancel()
            self._timer = None

    def reason_to_refuse(self, *, crowded: bool = False) -> str:
        """Return why a request that came now is to be turned away; empty when it may come in."""
        return reason_to_refuse(self._load(self.line.wait, crowded=crowded), self.limits)

    def reason_to_turn_away(self, waited: float) -> str:
        """Return why a plain request that waits so long is not to be answered; empty when it is."""
        # By how much the loop is late is no sign for these: after a pause, those who came meanwhile are read
        # all at once, and the line knows how long it takes to answer them.
        return reason_to_refuse(Load(0.0, waited, self.in_flight, lined_up=len(self.line)), self.limits)

    def _load(self, waited: float, *, crowded: bool = False) -> Load:
        # The watch cannot look while it is kept from running; by how much it is overdue counts too.
        late = time.perf_counter() - self._due if self._timer else 0.0
        return Load(max(self.delay, late), waited, self.in_flight, crowded, len(self.line))

    def reason_to_drop(self, arrived: float) -> str:
        """Return why a request that was let in is to be turned away now that its turn has come."""
        return reason_to_refuse(Load(0.0, time.perf_counter() - arrived, self.in_flight - 1), self.limits)

    def check_open(self) -> None:
        """Raise RequestRefused with 503 when the service is about to stop."""
        if self.draining:
            message = "The service is stopping and takes no new connections soon. Ask another replica."
            raise RequestRefused(message, status=503, code="stopping")

    def note(self, exchange: Exchange) -> None:
        """Count and log a request that was answered without the application."""
        self.metrics.request(exchange)
        if self.log is not None:
            self.log.write(exchange)

    def note_refusal(self, reason: str) -> None:
        """Count a request that was turned away."""
        # Added up until the next look: in a crowd the counting would cost as much as the refusing.
        self._refused[reason] += 1

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.perf_counter()
        self.delay = max(0.0, now - self._due)
        for reason, count in self._refused.items():
            self.metrics.rejected(reason, count)
        self._refused.clear()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            for connection in list(self.connections):
                connection.look(now)
            self.metrics.load(
                delay=self.delay,
                in_flight=self.in_flight + len(self.line),
                connections=len(self.connections),
                **self.queue()._asdict(),
            )
        self._due = time.perf_counter() + WATCH_SECONDS
        self._timer = loop.call_later(WATCH_SECONDS, self._watch, loop)
