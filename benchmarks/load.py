"""Load on a service of this machine: on a timetable, whatever the service does, or one after another.

With a rate the model is open: each latency counts from the moment at which its request was to leave, so
that a service that stalls is charged for all who waited (no coordinated omission, as Tene calls it).
Without one each connection sends its next request when its last was answered, which finds saturation.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost")


class Answer(NamedTuple):
    """What became of one request; status 0 where no answer came, and the body then says why."""

    number: int
    due: float
    """When it was to leave, by ``time.perf_counter``."""
    done: float
    status: int
    body: bytes

    @property
    def seconds(self) -> float:
        """How long it took from when it was to leave."""
        return self.done - self.due


Request = Callable[[int], bytes]
Observer = Callable[[Answer], None]


def post(address: str, path: str, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(address).netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def drive(
    address: str,
    request: Request,
    observe: Observer,
    *,
    seconds: float,
    rate: float | None = None,
    connections: int = 16,
    timeout: float = 30.0,
) -> None:
    """Send requests, numbered from 0, for some seconds, and tell of each answer.

    ``rate`` is requests a second on a timetable; None sends as fast as answers come. Raises ValueError for an
    address that is not loopback.
    """
    parts = urlsplit(address)
    if parts.hostname not in LOOPBACK or parts.port is None:
        raise ValueError(f"{address!r} is no address of this machine with a port")
    run = _Run((parts.hostname, parts.port), request, observe, connections, timeout)
    if rate is None:
        await run.closed(seconds)
    else:
        await run.open(seconds, rate)


@dataclass
class _Run:
    host: tuple[str, int]
    request: Request
    observe: Observer
    connections: int
    timeout: float
    waiting: deque[tuple[int, float]] = field(default_factory=deque)
    idle: list["_Connection"] = field(default_factory=list)
    opened: int = 0
    under_way: int = 0
    sending: bool = True
    end: float = 0.0
    """When the last request leaves that follows an answer."""
    numbered: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, seconds: float, rate: float) -> None:
        begun, count = time.perf_counter(), round(seconds * rate)
        for number in range(count):
            due = begun + number / rate
            # Those that are late already leave at once; the loop gets its turn in between.
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.waiting.append((number, due))
            self.serve_waiting()
        await self.finish()

    async def closed(self, seconds: float) -> None:
        self.end = time.perf_counter() + seconds
        for _ in range(self.connections):
            self.next()
        await asyncio.sleep(seconds)
        await self.finish()

    def next(self) -> None:
        """Let the next request wait, where each follows an answer and there is time left."""
        if time.perf_counter() < self.end:
            self.waiting.append((self.numbered, time.perf_counter()))
            self.numbered += 1
            self.serve_waiting()

    async def finish(self) -> None:
        deadline = time.perf_counter() + self.timeout
        while (self.waiting or self.under_way) and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        self.sending = False
        for connection in self.idle:
            connection.close()

    def serve_waiting(self) -> None:
        while self.waiting:
            if self.idle:
                self.send(self.idle.pop())
            elif self.opened < self.connections:
                self.opened += 1
                task = asyncio.ensure_future(self.connect())
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                return
            else:
                return

    def send(self, connection: "_Connection") -> None:
        number, due = self.waiting.popleft()
        self.under_way += 1
        connection.send(number, due, self.request(number))

    async def connect(self) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), *self.host
            )
        except OSError as error:
            self.opened -= 1
            if self.waiting:
                number, due = self.waiting.popleft()
                self.observe(Answer(number, due, time.perf_counter(), 0, str(error).encode()))
            return
        if self.waiting:
            self.send(connection)
            self.serve_waiting()
        else:
            self.idle.append(connection)

    def answered(self, connection: "_Connection", answer: Answer, *, again: bool) -> None:
        self.under_way -= 1
        self.observe(answer)
        if again and self.sending:
            self.idle.append(connection)
        else:
            connection.close()
        self.next()
        self.serve_waiting()

    def gone(self, connection: "_Connection") -> None:
        self.opened -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        self.serve_waiting()


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.number, self.due, self.busy = 0, 0.0, False
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, number: int, due: float, raw: bytes) -> None:
        assert self.transport is not None
        self.number, self.due, self.busy = number, due, True
        self.buffer.clear()
        self.transport.write(raw)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0 or not self.busy:
            return
        head = bytes(self.buffer[:end]).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(self.buffer) < end + 4 + int(length or 0):
            return
        self.busy = False
        body = bytes(self.buffer[end + 4 :])
        answer = Answer(self.number, self.due, time.perf_counter(), int(head[9:12]), body)
        self.run.answered(self, answer, again=b"connection: close" not in head)

    def connection_lost(self, error: Exception | None) -> None:
        if self.busy:
            self.busy = False
            reason = f"connection lost: {error}".encode()
            self.run.answered(
                self, Answer(self.number, self.due, time.perf_counter(), 0, reason), again=False
            )
        self.run.gone(self)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
