"""Whatever bytes reach the port, the service answers or hangs up, and goes on: raw HTTP over sockets."""

import os
import random
import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.running import drained, serving

SECONDS = float(os.environ.get("FUZZ_SECONDS", "10"))
"""How long the fuzz of bytes goes on; ``make fuzz`` sets hours or minutes."""

SEED = int(os.environ.get("FUZZ_SEED", "5"))
QUIET_SECONDS = 0.15
"""A service that says nothing for so long is waiting for more."""

END_SECONDS = 15
"""How long the end of a connection, or an answer, may take at most on a busy machine."""

STATUS = re.compile(rb"(?:^|(?<=\n)|(?<=[}\]]))HTTP/1\.[01] (\d{3})")
BODY = b'{"text": "a wonderful film"}'
JSON = b"Content-Type: application/json\r\n"


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """Return a request of a first line, headers and a body."""
    return b"\r\n".join([line, b"Host: loopback", *headers]) + b"\r\n\r\n" + body


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    """Return a request that decides, with these headers instead of Content-Length."""
    return request(b"POST /predict HTTP/1.1", b"Content-Type: application/json", *headers, body=body)


GOOD = post(b"Content-Length: %d" % len(BODY))
HIDDEN = request(b"GET /hidden HTTP/1.1")
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\n%x\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\n\r\n"

MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"G",
    "empty lines": b"\r\n" * 50,
    "no version": b"GET /health\r\n\r\n",
    "HTTP/0.9": b"GET /health\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": request(b"GET /health HTTP/9.9"),
    "lower case version": request(b"GET /health http/1.1"),
    "no method": b" /health HTTP/1.1\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd method": request(b"G\xe9T /health HTTP/1.1"),
    "long method": b"A" * 100_000 + b" / HTTP/1.1\r\n\r\n",
    "target with NUL": request(b"GET /hea\0lth HTTP/1.1"),
    "target with spaces": request(b"GET /a b c HTTP/1.1"),
    "target with bytes": request(b"GET /\xff\xfe HTTP/1.1"),
    "escaped NUL": request(b"GET /%00%0d%0aX:%20y HTTP/1.1"),
    "half an escape": request(b"GET /%zz%f HTTP/1.1"),
    "invalid UTF-8 escaped": request(b"GET /v1/tasks/%ff%fe/predict HTTP/1.1"),
    "way up": request(b"GET /static-offline-docs/../../../../etc/passwd HTTP/1.1"),
    "way up escaped": request(b"GET /static-offline-docs/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1"),
    "way up with NUL": request(b"GET /static-offline-docs/%00/../swagger-ui.css HTTP/1.1"),
    "very long name of a file": request(b"GET /static-offline-docs/" + b"a" * 5_000 + b" HTTP/1.1"),
    "absolute target": request(b"GET http://elsewhere.example/health HTTP/1.1"),
    "CONNECT": request(b"CONNECT elsewhere.example:443 HTTP/1.1"),
    "OPTIONS of all": request(b"OPTIONS * HTTP/1.1"),
    "TRACE": request(b"TRACE /health HTTP/1.1"),
    "upgrade": request(b"GET / HTTP/1.1", b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
    "websocket": request(
        b"GET / HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "long target": request(b"GET /" + b"a" * 200_000 + b" HTTP/1.1"),
    "long query": request(b"GET /health?" + b"a=b&" * 30_000 + b" HTTP/1.1"),
    "odd parameter": request(b"POST /predict?explain=%ff&explain=maybe HTTP/1.1", b"Content-Length: 0"),
    "header without colon": request(b"GET /health HTTP/1.1", b"no colon"),
    "header without name": request(b"GET /health HTTP/1.1", b": value"),
    "header with space": request(b"GET /health HTTP/1.1", b"Con tent: x"),
    "space before colon": request(b"GET /health HTTP/1.1", b"X-A : b"),
    "folded header": request(b"GET /health HTTP/1.1", b"X-A: b", b"  more"),
    "header with NUL": request(b"GET /health HTTP/1.1", b"X-A: b\0c"),
    "header with bytes": request(b"GET /health HTTP/1.1", b"X-A: \xff\xfe"),
    "header with bare CR": request(b"GET /health HTTP/1.1", b"X-A: b\rX-B: c"),
    "header with bare LF": request(b"GET /health HTTP/1.1", b"X-A: b\nX-B: c"),
    "injected header": request(b"GET /nowhere%0d%0aSet-Cookie:%20a=b HTTP/1.1", b"X-Request-ID: a%0d%0aX: y"),
    "huge header": request(b"GET /health HTTP/1.1", b"X-A: " + b"a" * 300_000),
    "many headers": request(b"GET /health HTTP/1.1", *[b"X-%d: a" % number for number in range(5_000)]),
    "endless headers": b"GET /health HTTP/1.1\r\n" + b"X-A: " + b"a" * 1_000_000,
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": request(b"GET /health HTTP/1.1", b"Host: other"),
    "odd host": b"GET / HTTP/1.1\r\nHost: [::1\xff\r\n\r\n",
    "negative length": post(b"Content-Length: -1"),
    "length with sign": post(b"Content-Length: +28"),
    "length in hex": post(b"Content-Length: 0x1c"),
    "length with space": post(b"Content-Length: 2 8"),
    "length that is empty": post(b"Content-Length: "),
    "huge length": post(b"Content-Length: " + b"9" * 400),
    "length over 64 bits": post(b"Content-Length: 18446744073709551617"),
    "two lengths": post(b"Content-Length: 28", b"Content-Length: 5"),
    "list of lengths": post(b"Content-Length: 28, 5"),
    "length too long": post(b"Content-Length: 5000"),
    "length too short": post(b"Content-Length: 3"),
    "chunk size that is no number": post(b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"),
    "negative chunk": post(b"Transfer-Encoding: chunked", body=b"-5\r\nabcde\r\n0\r\n\r\n"),
    "huge chunk": post(b"Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\nabc"),
    "chunk without end": post(b"Transfer-Encoding: chunked", body=b"5\r\nabc"),
    "chunk too short": post(b"Transfer-Encoding: chunked", body=b"2\r\nabcdef\r\n0\r\n\r\n"),
    "chunk extension": post(b"Transfer-Encoding: chunked", body=b"5;" + b"a" * 99_999 + b"\r\n" + BODY),
    "chunk with bare LF": post(b"Transfer-Encoding: chunked", body=b"5\nabcde\n0\n\n"),
    "many trailers": post(b"Transfer-Encoding: chunked", body=CHUNKS[:-2] + b"X-A: b\r\n" * 5_000 + b"\r\n"),
    "encoding that nobody knows": post(b"Transfer-Encoding: gzip", body=BODY),
    "expectation": post(b"Expect: the-impossible", b"Content-Length: 28"),
    "noise behind a plain request": GOOD + b"\0\xff\r\n\r\n",
    "half a request behind a plain one": GOOD + GOOD[:40],
    "empty lines behind a plain request": GOOD + b"\r\n" * 50 + GOOD,
    "plain requests, the second with another length": GOOD + post(b"Content-Length: 5") + GOOD,
    "length of a GET": request(b"GET /health HTTP/1.1", b"Content-Length: 5", body=b"abcde"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "noise": bytes(range(256)) * 40,
    "SMTP": b"EHLO mail.example\r\nMAIL FROM:<a@b.example>\r\n",
}  # fmt: skip
"""What no client should send; kept, with the bytes that once broke something."""

SMUGGLING: dict[str, bytes] = {
    "length and chunks": post(
        b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks and length": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks twice": post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks that are not last": post(
        b"Content-Length: 5", b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks with a tab": post(
        b"Content-Length: 5", b"Transfer-Encoding:\tchunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks with a space": post(
        b"Content-Length: 5", b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks spelled oddly": post(
        b"Content-Length: 5", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN
    ),
    "chunks after a bare CR": post(
        b"X: y\rTransfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + HIDDEN
    ),
    "two lengths": post(b"Content-Length: 0", b"Content-Length: %d" % len(HIDDEN), body=HIDDEN),
    "length with a sign": post(b"Content-Length: +0", body=HIDDEN),
}
"""Requests whose length can be read in two ways, each with another request where one reading ends."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, sentiment_artifact: Path) -> Iterator[int]:
    """The port of ``assay serve``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("ASSAY_MODELS", str(sentiment_artifact))
        with serving(patience=SECONDS + 900) as (address, process):
            said = drained(process)
            yield int(urlsplit(address).port or 0)
            assert process.poll() is None, "the service ended"
            process.terminate()
            told = said.to_the_end()
            assert [line for line in told if " broke: " in line or "Exception in ASGI" in line] == []


def talk(port: int, pieces: Iterable[bytes], *, quiet: float = QUIET_SECONDS) -> bytes:
    """Send pieces on a connection of their own; return all that came back until the service hung up.

    Fails when it does not hang up soon after the last byte and the end.
    """
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=END_SECONDS) as connection:
        # A service that hangs up while it is spoken to has said what it had to say.
        with suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        connection.settimeout(quiet)
        with suppress(TimeoutError):
            read_all(connection, received)
            return bytes(received)
        connection.settimeout(END_SECONDS)
        connection.shutdown(socket.SHUT_WR)
        try:
            read_all(connection, received)
        except TimeoutError:
            pytest.fail(f"the service did not hang up after {END_SECONDS} seconds")
    return bytes(received)


def read_all(connection: socket.socket, received: bytearray) -> None:
    """Add what comes until the other side hangs up; raises TimeoutError when it is silent before."""
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            received += part


def statuses(received: bytes) -> list[int]:
    """Return the statuses of all answers in what came back."""
    return [int(status) for status in STATUS.findall(received)]


def check_alive(port: int) -> None:
    """Require that the service decides as before."""
    end = time.monotonic() + END_SECONDS
    while True:
        answer = httpx.post(
            f"http://127.0.0.1:{port}/predict", content=BODY, headers={"Content-Type": "application/json"}
        )
        # With many under way, whoever comes while the machine stands still is asked to come back.
        if answer.status_code != 503 or "retry-after" not in answer.headers or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert (answer.status_code, answer.json()["label"]) == (200, "positive")


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_refused_or_ignored(port: int, name: str) -> None:
    for pieces in ([MALFORMED[name]], halves(MALFORMED[name])):
        found = statuses(talk(port, pieces))
        assert [status for status in found if status >= 500] == []
    check_alive(port)


def halves(sent: bytes) -> Iterator[bytes]:
    """Yield bytes in two pieces with a pause between."""
    yield sent[: len(sent) // 2]
    time.sleep(0.02)
    yield sent[len(sent) // 2 :]


@pytest.mark.parametrize("name", SMUGGLING)
def test_no_request_is_smuggled_in_another(port: int, name: str) -> None:
    received = talk(port, [SMUGGLING[name]])
    assert b"/hidden" not in received
    assert len(statuses(received)) <= 1
    assert 200 not in statuses(received)
    check_alive(port)


def test_pipelined_requests_are_answered_each_in_its_turn(port: int) -> None:
    missing = [request(b"GET /missing-%d HTTP/1.1" % number) for number in range(20)]
    mixed = [part for pair in zip(missing, [GOOD] * 20, strict=True) for part in pair]
    last = request(b"GET /last HTTP/1.1", b"Connection: close")
    received = talk(port, [b"".join([*mixed, last])], quiet=END_SECONDS)
    assert statuses(received) == [404, 200] * 20 + [404]
    places = [received.index(b"/missing-%d'" % number) for number in range(20)]
    assert places == sorted(places)


def test_a_request_in_single_bytes_is_answered(port: int) -> None:
    slow = GOOD.replace(b"Host: loopback", b"Host: loopback\r\nConnection: close")
    received = talk(port, (slow[at : at + 1] for at in range(len(slow))), quiet=END_SECONDS)
    assert statuses(received) == [200]


def test_many_that_never_finish_hold_nobody_up(port: int) -> None:
    connections = [socket.create_connection(("127.0.0.1", port), timeout=END_SECONDS) for _ in range(100)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(GOOD[: 1 + number % (len(GOOD) - 1)])
        check_alive(port)
    finally:
        for connection in connections:
            connection.close()
    check_alive(port)


def test_answers_that_nobody_reads_hold_nobody_up(port: int) -> None:
    connections = [socket.create_connection(("127.0.0.1", port), timeout=END_SECONDS) for _ in range(20)]
    try:
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            connection.sendall(request(b"GET /openapi.json HTTP/1.1") * 20)
        check_alive(port)
    finally:
        for connection in connections:
            connection.close()
    check_alive(port)


def test_nothing_from_a_path_or_header_becomes_a_header(port: int) -> None:
    received = talk(port, [MALFORMED["injected header"], request(b"GET /end HTTP/1.1", b"Connection: close")])
    for head in received.split(b"HTTP/1.1 ")[1:]:
        names = [line.split(b":")[0].lower() for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
        assert b"set-cookie" not in names
        assert b"x" not in names


def mutated(chance: random.Random) -> list[bytes]:
    """Return a known request, right or wrong, with a few of its bytes changed, in a few pieces."""
    known = [GOOD, post(b"Transfer-Encoding: chunked", body=CHUNKS), *MALFORMED.values(), *SMUGGLING.values()]
    sent = bytearray(chance.choice(known)[:20_000] * chance.choice((1, 1, 1, 2, 5)))
    for _ in range(chance.randrange(8)):
        at, length = chance.randrange(len(sent) + 1), chance.choice((1, 1, 2, 10, 200))
        filler = chance.choice(
            (b"\0", b"\r\n", b"\n", b":", b" ", b"\xff", b"%", b"chunked", b"0", chance.randbytes(3))
        )
        sent[at : at + chance.choice((0, length))] = filler * chance.choice((0, 1, 1, length))
    cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(chance.randrange(4)))
    return [bytes(sent[a:b]) for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def test_no_bytes_break_the_service(port: int) -> None:
    end, sent = time.monotonic() + SECONDS, 0
    while time.monotonic() < end or sent <= 20:
        pieces = mutated(random.Random(f"{SEED} {sent}"))
        found = statuses(talk(port, pieces, quiet=0.05))
        assert [status for status in found if status >= 500] == [], f"seed {SEED} {sent}: {pieces!r}"
        sent += 1
        if sent % 50 == 0:
            check_alive(port)
    check_alive(port)
    print(f"{sent:,} connections from the seed {SEED}")
