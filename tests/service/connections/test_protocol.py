"""One connection: what comes too slowly, is too large or is no HTTP, and what was counted of it."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from assay.service import Limits, Models, create_app
from assay.service.limits import MAX_HEADER_BYTES, MAX_HEADERS, RESERVED_CONNECTIONS
from assay.telemetry import Counters
from tests.service.connections.metrics import wait_for_metric

Serve = Callable[[FastAPI], AbstractContextManager[str]]
KEYS = {"code", "message", "detail", "request_id"}
BODY = b'{"text": "a wonderful film"}'


@pytest.fixture
def hasty(models: Models, serve: Serve) -> Iterator[str]:
    """The address of a service that waits a second for headers and for bodies."""
    limits = Limits(header_seconds=1.0, body_seconds=1.0, max_connections=3)
    with serve(create_app(models, metrics=Counters(), limits=limits)) as address:
        yield address


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """Open a connection of its own."""
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    """Return all that comes until the service ends the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            received += part
    return received


def error_of(answer: bytes, status: int) -> dict[str, str]:
    """Return the error of an answer that is the last of its connection, in the one shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].split()[1] == str(status)
    assert "connection: close" in lines
    assert "content-type: application/json" in lines
    assert f"content-length: {len(body)}" in lines
    error: dict[str, str] = json.loads(body)["error"]
    assert set(error) == KEYS
    assert f"x-request-id: {error['request_id']}" in lines
    return error


def post(*headers: str, body: bytes = b"") -> bytes:
    """Return a raw request to decide."""
    lines = ["POST /predict HTTP/1.1", "Host: loopback", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


WHOLE = post(f"Content-Length: {len(BODY)}", body=BODY)


def counted(address: str, code: str) -> bool:
    """Return whether the metrics tell of an error."""
    return f'assay_errors_total{{code="{code}"}} 1.0' in httpx.get(f"{address}/metrics").text


@pytest.mark.parametrize("begun", [b"", b"POST /predict HT", b"POST /predict HTTP/1.1\r\nHost: x\r\n"])
def test_headers_that_do_not_come_in_time_are_408(hasty: str, begun: bytes) -> None:
    with connected(hasty) as connection:
        connection.sendall(begun)
        assert error_of(everything(connection), 408)["code"] == "request_timeout"
    assert counted(hasty, "request_timeout")


def test_headers_that_drip_do_not_buy_time(hasty: str) -> None:
    began = time.monotonic()
    with connected(hasty) as connection, suppress(OSError):
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        for number in range(200):
            connection.sendall(b"X-%d: y\r\n" % number)
            time.sleep(0.1)
    assert time.monotonic() - began < 15


def test_empty_lines_after_an_answer_do_not_buy_time(hasty: str) -> None:
    with connected(hasty) as connection:
        connection.sendall(WHOLE)
        received = b""
        while not received.endswith(b"}"):
            received += connection.recv(65_536)
        with suppress(OSError):
            for _ in range(40):
                connection.sendall(b"\r\n")
                time.sleep(0.1)
        assert b" 408 " in everything(connection)


def test_a_body_that_does_not_come_in_time_is_408_and_counted_once(hasty: str) -> None:
    with connected(hasty) as connection:
        connection.sendall(post("Content-Length: 500", "X-Request-ID: slow-1", body=BODY[:5]))
        error = error_of(everything(connection), 408)
    assert (error["code"], error["request_id"]) == ("request_timeout", "slow-1")
    metrics = httpx.get(f"{hasty}/metrics").text
    assert 'assay_requests_total{method="POST",route="/predict",status="408",task=""} 1.0' in metrics
    assert 'status="499"' not in metrics


def test_bytes_that_keep_coming_buy_a_body_time(hasty: str) -> None:
    body = b'{"text": "' + b"x" * 12_000 + b'"}'
    with connected(hasty) as connection:
        connection.sendall(post(f"Content-Length: {len(body)}"))
        for begin in range(0, len(body), 3_003):
            connection.sendall(body[begin : begin + 3_003])
            time.sleep(0.6)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"x" * (MAX_HEADER_BYTES + 1) + b" HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 4 * MAX_HEADER_BYTES,
        b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 4 * MAX_HEADER_BYTES,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000,
    ],
    ids=["a path", "a path without end", "a header", "a header without end", "headers", "many headers"],
)
def test_what_is_too_large_before_the_body_is_431(address: str, request_: bytes) -> None:
    with connected(address) as connection:
        with suppress(OSError):
            connection.sendall(request_)
        assert error_of(everything(connection), 431)["code"] == "headers_too_large"
    assert counted(address, "headers_too_large")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x00 not HTTP\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : y\r\nX\x00: y\r\n\r\n",
        post("Content-Length: -1"),
        post("Content-Length: 5", "Content-Length: 6", body=b"hello"),
        post("Content-Length: 5", "Transfer-Encoding: chunked", body=b"hello"),
        post("Transfer-Encoding: chunked", body=b"xyz\r\n"),
        b"CONNECT loopback:80 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400_in_the_one_shape(address: str, request_: bytes) -> None:
    with connected(address) as connection:
        connection.sendall(request_)
        assert error_of(everything(connection), 400)["code"] == "malformed_request"
    assert counted(address, "malformed_request")
    assert httpx.get(f"{address}/health/live").status_code == 200


def test_requests_in_one_piece_are_answered_in_their_order(address: str) -> None:
    missing = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connected(address) as connection:
        connection.sendall(WHOLE + missing + WHOLE * 20 + last)
        answers = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"404", *[b"200"] * 20, b"200"]


def test_what_is_malformed_behind_good_requests_takes_no_answer_from_them(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(WHOLE + b"\x00\x00\r\n\r\n")
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_an_upgrade_is_answered_as_the_request_that_it_is(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(
            b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert everything(connection).startswith(b"HTTP/1.1 200")


def test_connections_over_the_limit_are_refused_but_for_health_and_metrics(hasty: str) -> None:
    with connected(hasty) as one, connected(hasty) as two, connected(hasty) as three:
        for connection in (one, two, three):
            connection.sendall(WHOLE)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        with connected(hasty) as over:
            over.sendall(WHOLE)
            error = error_of(everything(over), 503)
        assert error["code"] == "overloaded"
        assert httpx.get(f"{hasty}/health/live").status_code == 200
        wait_for_metric(hasty, 'assay_rejected_total{reason="connections"} 1.0')


def test_a_crowd_over_the_reserve_is_refused_unasked(models: Models, serve: Serve) -> None:
    # Nobody in the crowd may run out of time before the last one has come.
    app = create_app(models, metrics=Counters(), limits=Limits(header_seconds=60.0, max_connections=3))
    with (
        serve(app) as address,
        contextlib_stack(address, 3 + RESERVED_CONNECTIONS),
        connected(address) as last,
    ):
        answer = everything(last)
    assert error_of(answer, 503)["code"] == "overloaded"
    assert b"retry-after: 1" in answer


@contextmanager
def contextlib_stack(address: str, count: int) -> Iterator[None]:
    """Hold so many connections on which nothing is sent."""
    held = [socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) for _ in range(count)]
    try:
        yield
    finally:
        for each in held:
            each.close()
