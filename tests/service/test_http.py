"""The service over a real socket: what only a real server shows."""

import json
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from assay.service.limits import Limits

BODY = b'{"text": "a wonderful film"}'


def exchange(address: str, request: bytes) -> tuple[bytes, bytes]:
    """Send raw bytes on a connection of their own; return the answer's head and the body of that length."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one answer off a connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(lines[b"content-length"]):
        body += receive(connection)
    return head, body


def receive(connection: socket.socket) -> bytes:
    """Return the next bytes; fail when the connection ends."""
    received = connection.recv(65_536)
    assert received, "the connection ended"
    return received


def post(path: str, body: bytes, *headers: str) -> bytes:
    """Return a raw request with a body of a declared length."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: loopback",
        "Content-Type: application/json",
        *(headers or [f"Content-Length: {len(body)}"]),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """Return chunks as a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def test_one_connection_serves_good_and_bad_requests_in_turn(address: str) -> None:
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        for body, status in [(BODY, b"200"), (b"{", b"400"), (b'{"text": 1}', b"422"), (BODY, b"200")]:
            connection.sendall(post("/predict", body))
            head, _ = read_answer(connection)
            assert head.split()[1] == status


def test_a_declared_length_over_the_limit_is_refused_before_the_body_is_sent(address: str) -> None:
    head, body = exchange(address, post("/predict", b"", f"Content-Length: {Limits.max_body_bytes + 1}"))
    assert b" 413 " in head
    assert json.loads(body)["error"]["code"] == "too_large"


def test_a_body_of_10_mb_is_413_and_the_client_reads_it(address: str) -> None:
    answer = httpx.post(
        f"{address}/predict", content=b"a" * 10_000_000, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_a_chunked_body_is_read(address: str) -> None:
    request = post("/predict", chunked(BODY[:7], BODY[7:]), "Transfer-Encoding: chunked")
    head, body = exchange(address, request)
    assert b" 200 " in head
    assert json.loads(body)["label"] == "positive"


def test_an_endless_chunked_body_is_cut_off_at_the_limit(address: str) -> None:
    parts = urlsplit(address)
    chunk = chunked(b"a" * 65_536)[:-5]
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        connection.sendall(post("/predict", b"", "Transfer-Encoding: chunked"))
        for _ in range(Limits.max_body_bytes // 65_536 + 1):
            connection.sendall(chunk)
        head, body = read_answer(connection)
    assert b" 413 " in head
    assert json.loads(body)["error"]["code"] == "too_large"


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_failure(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(post("/predict", BODY[:5], "Content-Length: 500"))
    counted = 'method="POST",route="/predict",status="499",task=""} 1.0'
    for _ in range(200):
        if counted in httpx.get(f"{address}/metrics").text:
            break
    else:
        pytest.fail("the request was not counted as 499")
    assert "broke" not in caplog.text


def test_head_sends_no_body_on_the_wire(address: str) -> None:
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: loopback\r\nConnection: close\r\n\r\n")
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"\r\n\r\n")


def test_what_is_not_http_does_not_stop_the_service(address: str) -> None:
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01\x00 not HTTP\r\n\r\n")
        connection.recv(1_000)
    assert httpx.get(f"{address}/health/ready").status_code == 200


def test_short_requests_are_answered_while_long_ones_are_decided(address: str) -> None:
    texts = {"texts": ["a wonderful film, long and dull " * 200] * 1_000}
    statuses: list[int] = []

    def send_long() -> None:
        statuses.append(httpx.post(f"{address}/batch_predict", json=texts, timeout=120).status_code)

    threads = [threading.Thread(target=send_long) for _ in range(3)]
    for thread in threads:
        thread.start()
    short = 0
    while any(thread.is_alive() for thread in threads):
        short += httpx.post(f"{address}/predict", json={"text": "dull"}, timeout=60).status_code == 200
    for thread in threads:
        thread.join()
    assert statuses == [200, 200, 200]
    assert short >= 2
