"""The load generator: when requests leave, what becomes of each, and that it stays on this machine."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import Answer, drive, post
from benchmarks.service import counted, percentiles

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def server(answer: bytes, pause: float = 0.0) -> Iterator[str]:
    """Run a server that gives one answer to whatever comes, after a pause; an empty one hangs up."""

    def serve(client: socket.socket) -> None:
        with client:
            while client.recv(65_536):
                time.sleep(pause)
                if not answer:
                    return
                client.sendall(answer)
                if b"close" in answer:
                    return

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def asked(
    address: str, *, rate: float | None = None, seconds: float = 0.5, connections: int = 4
) -> list[Answer]:
    """Return what became of the requests of a short run."""
    answers: list[Answer] = []
    raw = post(address, "/predict", b"{}", ["X-API-Key: k"])
    run = drive(address, lambda _: raw, answers.append, seconds=seconds, rate=rate, connections=connections)
    asyncio.run(run)
    return answers


def test_a_request_is_what_it_says() -> None:
    raw = post("http://127.0.0.1:80", "/x", b"body", ["A: b"])
    assert raw.endswith(b"\r\nContent-Length: 4\r\nA: b\r\n\r\nbody")
    assert raw.startswith(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\n")


def test_as_many_leave_as_the_rate_says_and_each_is_told_once() -> None:
    with server(OK) as address:
        answers = asked(address, rate=100)
    assert sorted(each.number for each in answers) == list(range(50))
    assert counted(answers) == {"200": 50}
    assert {each.body for each in answers} == {b"ok"}


def test_a_server_that_stalls_is_charged_for_all_who_wait() -> None:
    with server(OK, pause=0.1) as address:
        answers = asked(address, rate=100, connections=1)
    # Twenty at a tenth of a second each, one after another, were due within a fifth of a second.
    assert len(answers) == 50
    assert max(each.seconds for each in answers) > 3


def test_without_a_rate_each_connection_asks_as_soon_as_it_was_answered() -> None:
    with server(OK, pause=0.05) as address:
        answers = asked(address, connections=3, seconds=2.0)
    due, done = sorted(each.due for each in answers), sorted(each.done for each in answers)
    assert min(each.seconds for each in answers) >= 0.05
    # Three at once, and from then on one for each that was answered, after it and until the time was over.
    assert due[2] < done[0]
    assert all(next_due > answered for next_due, answered in zip(due[3:], done, strict=False))
    assert len(answers) - 3 == sum(answered < due[-1] for answered in done) > 0


def test_a_connection_that_is_closed_is_replaced_and_one_that_is_lost_is_told() -> None:
    with server(CLOSING) as address:
        assert counted(asked(address, rate=40)) == {"503": 20}
    with server(b"") as address:
        answers = asked(address, rate=40)
    assert counted(answers) == {"0": 20}
    assert all(b"connection lost" in each.body for each in answers)


def test_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    answers = asked(address, rate=20)
    assert counted(answers) == {"0": 10}


@pytest.mark.parametrize("address", ["http://192.0.2.1:80", "http://example.org:80", "http://127.0.0.1"])
def test_only_this_machine_is_asked(address: str) -> None:
    with pytest.raises(ValueError, match="no address of this machine with a port"):
        asked(address)


def test_percentiles_are_those_of_the_sorted_values_in_milliseconds() -> None:
    found = percentiles([number / 1_000 for number in range(1, 1_001)])
    assert found == {"p50": 501, "p99": 991, "p999": 1_000, "max": 1_000}
    assert percentiles([]) == {"p50": 0.0, "p99": 0.0, "p999": 0.0, "max": 0.0}
