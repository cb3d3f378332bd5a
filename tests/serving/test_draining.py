"""The door of a service that stops, where the kernel lets it have a packet filter and where not."""

import socket
from collections.abc import Iterator

import pytest

from assay.serving.draining import close_door

SO_LOCK_FILTER = 44
PATIENCE_SECONDS = 0.3


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener


def waiting(listener: socket.socket) -> int:
    """Return how many of three clients the kernel lets queue up."""
    clients = [socket.socket() for _ in range(3)]
    let_in = 0
    for client in clients:
        client.settimeout(PATIENCE_SECONDS)
        try:
            client.connect(listener.getsockname())
        except TimeoutError:
            continue
        let_in += 1
    for client in clients:
        client.close()
    return let_in


def test_an_open_door_lets_everybody_wait(listener: socket.socket) -> None:
    assert waiting(listener) == 3


def test_where_no_filter_may_be_set_one_may_wait_at_a_time(listener: socket.socket) -> None:
    # A filter that is locked is refused to root, too, as some kernels refuse any to a container.
    listener.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
    close_door([listener])
    assert waiting(listener) == 1
    listener.accept()[0].close()
