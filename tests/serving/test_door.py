"""Connections are taken in as they come, however busy the event loop is."""

import asyncio
import errno
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
import uvloop

from assay.serving import door as module
from assay.serving.door import Door

WAITING = 100
TURN_SECONDS = 0.01


class Met(asyncio.Protocol):
    """Counts the connections that have come in."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take one in."""
        type(self).count += 1
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Send back what came."""
        self.transport.write(data)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens, and nobody met yet."""
    Met.count = 0
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener


@contextmanager
def clients(listener: socket.socket, count: int) -> Iterator[list[socket.socket]]:
    """Connect so many clients; the kernel does that without the service."""
    with ExitStack() as stack:
        address = listener.getsockname()
        yield [stack.enter_context(closing(socket.create_connection(address))) for _ in range(count)]


def run(work: Callable[[], Any]) -> Any:
    """Run some work in the loop that the service has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


def test_all_who_wait_are_taken_in_although_every_turn_of_the_loop_is_long(listener: socket.socket) -> None:
    async def work() -> int:
        turns = 0
        with clients(listener, WAITING):
            door = Door(listener, Met)
            while Met.count < WAITING:
                time.sleep(TURN_SECONDS)
                await asyncio.sleep(0)
                turns += 1
            door.close()
            await door.wait_closed()
        return turns

    assert run(work) < WAITING / 4


def test_who_was_taken_in_is_answered_and_after_closing_nobody_is_taken_in(listener: socket.socket) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        door = Door(listener, Met)
        with clients(listener, 1) as [client]:
            client.setblocking(False)
            await loop.sock_sendall(client, b"hello")
            assert await loop.sock_recv(client, 10) == b"hello"
        door.close()
        with clients(listener, 1):
            await asyncio.sleep(0.05)
        assert Met.count == 1

    run(work)


def test_a_process_without_files_left_waits_and_goes_on(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.05)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def work() -> None:
        with clients(listener, 3) as waiting:
            # As many as are open now, so that not one more can be.
            resource.setrlimit(resource.RLIMIT_NOFILE, (waiting[-1].fileno() + 1, hard))
            try:
                door = Door(listener, Met)
                await asyncio.sleep(0.2)
                assert Met.count == 0
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            while Met.count < 3:
                await asyncio.sleep(0.01)
            door.close()

    run(work)
    assert errno.EMFILE in module.EXHAUSTED
    assert "No connection can be accepted for a moment: Too many open files" in caplog.text
