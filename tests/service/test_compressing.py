"""Compressed answers: for those who take them, long ones only, the same content."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from assay.service.compressing import accepts_gzip

LONG = {"texts": ["a wonderful film"] * 40}


def raw(
    client: TestClient, method: str, path: str, accept: str, **more: object
) -> tuple[dict[str, str], bytes]:
    """Return the headers and the bytes of an answer as they came, not uncompressed."""
    with client.stream(method, path, headers={"Accept-Encoding": accept}, **more) as answer:  # type: ignore[arg-type]
        return dict(answer.headers), b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("deflate, x-gzip", True),
        ("*", True),
        ("gzip;q=1.000", True),
        ("gzip; q=0.001", True),
        ("br;q=0, *;q=0.1", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("notgzip", False),
        ("gzip;q=", False),
        (";;,,=", False),
    ],
)
def test_accept_encoding_is_read_with_its_qualities(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_long_answer_is_compressed_for_those_who_take_it(client: TestClient) -> None:
    headers, body = raw(client, "POST", "/batch_predict", "gzip", json=LONG)
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(body)
    assert "Accept-Encoding" in headers["vary"]
    plain_headers, plain = raw(client, "POST", "/batch_predict", "identity", json=LONG)
    assert "content-encoding" not in plain_headers
    assert "Accept-Encoding" in plain_headers["vary"]
    assert int(plain_headers["content-length"]) == len(plain)
    assert len(gzip.decompress(body)) == len(plain)
    assert len(body) < len(plain) / 3


def test_a_short_answer_stays_as_it_is(client: TestClient) -> None:
    headers, body = raw(client, "POST", "/predict", "gzip", json={"text": "fine"})
    assert "content-encoding" not in headers
    assert body.startswith(b"{")


def test_head_says_what_get_says(client: TestClient) -> None:
    for accept in ("gzip", "identity"):
        get, _ = raw(client, "GET", "/openapi.json", accept)
        head, body = raw(client, "HEAD", "/openapi.json", accept)
        assert body == b""
        assert {**get, "x-request-id": ""} == {**head, "x-request-id": ""}


def test_a_script_of_the_documentation_has_a_weak_tag_when_compressed(client: TestClient) -> None:
    path = "/static-offline-docs/swagger-ui.css"
    headers, body = raw(client, "GET", path, "gzip")
    plain, content = raw(client, "GET", path, "identity")
    assert headers["etag"] == f"W/{plain['etag']}"
    assert gzip.decompress(body) == content
    for tag in (headers["etag"], plain["etag"]):
        answer = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.content) == (304, b"")
        assert "Accept-Encoding" in answer.headers["vary"]


def test_a_huge_answer_is_compressed_in_a_thread(app: FastAPI, client: TestClient) -> None:
    @app.get("/huge")
    async def huge() -> Response:
        return Response(b"a,b\n" * 100_000, media_type="text/csv")

    headers, body = raw(client, "GET", "/huge", "gzip")
    assert gzip.decompress(body) == b"a,b\n" * 100_000
    assert int(headers["content-length"]) == len(body)


def test_a_stream_is_compressed_piece_by_piece(app: FastAPI, client: TestClient) -> None:
    pieces = [b"row %d\n" % number for number in range(50)]

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def rows() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return StreamingResponse(rows(), media_type="text/csv")

    headers, body = raw(client, "GET", "/stream", "gzip")
    assert headers["content-encoding"] == "gzip"
    assert "content-length" not in headers
    assert gzip.decompress(body) == b"".join(pieces)
    # Whoever reads has each piece when it was sent: cut anywhere, what came before can be read.
    reader = zlib.decompressobj(31)
    assert reader.decompress(body[: len(body) // 2]).startswith(b"row 0\nrow 1\n")


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"x" * 5_000, media_type="application/vnd.apache.parquet"),
        Response(b"x" * 5_000, media_type="image/png"),
        Response(b"x" * 5_000, headers={"Content-Encoding": "br"}, media_type="text/plain"),
        Response(b"x" * 5_000, 206, media_type="text/plain"),
        Response(status_code=204),
    ],
)
def test_what_cannot_shrink_or_has_no_whole_body_stays_as_it_is(
    app: FastAPI, client: TestClient, answer: Response
) -> None:
    @app.get("/it")
    async def it() -> Response:
        return answer

    headers, body = raw(client, "GET", "/it", "gzip")
    assert headers.get("content-encoding") in (None, "br")
    assert body == answer.body
