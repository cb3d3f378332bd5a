"""Compressed bodies: read as if they were not, and never more of one in memory than is allowed."""

import gzip
import json
import tracemalloc
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assay.exceptions import RequestRefused
from assay.service.inflating import STEP, Inflating
from assay.service.limits import MAX_GZIP_MEMBERS, Limits

BODY = b'{"text": "a wonderful film"}'
PACKED = gzip.compress(BODY, mtime=0)
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def post(client: TestClient, content: Any, **headers: str) -> Any:
    """Send a body that says it is gzip."""
    return client.post("/predict", content=content, headers={**HEADERS, **headers})


def unpacked(*chunks: bytes) -> bytes:
    """Return what chunks of gzip hold."""
    inflating = Inflating("The body", most_members=MAX_GZIP_MEMBERS)
    found = b"".join(piece for chunk in chunks for piece in inflating.feed(chunk))
    inflating.finish()
    return found


def test_a_compressed_body_is_decided_like_a_plain_one(client: TestClient) -> None:
    plain = client.post("/predict", content=BODY, headers={"Content-Type": "application/json"}).json()
    packed = post(client, PACKED).json()
    assert packed["score"] == plain["score"]
    assert packed["label"] == "positive"


@pytest.mark.parametrize("name", ["gzip", "GZip", "x-gzip", " gzip "])
def test_gzip_has_several_names(client: TestClient, name: str) -> None:
    assert post(client, PACKED, **{"Content-Encoding": name}).status_code == 200


def test_zeros_after_the_end_are_no_part_of_it() -> None:
    assert unpacked(PACKED, b"\0" * 16) == BODY == unpacked(PACKED + b"\0" * 16)


@pytest.mark.parametrize("name", ["identity", ""])
def test_a_body_may_say_that_it_is_plain(client: TestClient, name: str) -> None:
    assert post(client, BODY, **{"Content-Encoding": name}).status_code == 200


@pytest.mark.parametrize("name", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "chunked", "x\xff"])
def test_another_encoding_is_415_and_says_which_to_use(client: TestClient, name: str) -> None:
    answer = client.post(
        "/predict", content=PACKED, headers={**HEADERS, "Content-Encoding": name.encode("latin-1")}
    )
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, identity"
    assert answer.json()["error"]["code"] == "unsupported_encoding"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.lists(st.integers(0, 900), max_size=6))
def test_any_members_in_any_pieces_are_read_whole(parts: list[bytes], cuts: list[int]) -> None:
    packed = b"".join(map(gzip.compress, parts))
    places = sorted({0, len(packed), *(cut % len(packed) for cut in cuts)})
    chunks = [packed[a:b] for a, b in pairwise(places)]
    assert unpacked(*chunks) == b"".join(parts)


def test_a_body_that_ends_with_a_full_step_is_read_whole() -> None:
    for size in (STEP - 1, STEP, STEP + 1, 3 * STEP, 3 * STEP + 1):
        assert unpacked(gzip.compress(b"a" * size, mtime=0)) == b"a" * size


@pytest.mark.parametrize("end", range(1, len(PACKED)))
def test_a_body_without_its_end_is_400(end: int) -> None:
    with pytest.raises(RequestRefused, match="its end is missing") as refused:
        unpacked(PACKED[:end])
    assert (refused.value.data["status"], refused.value.data["code"]) == (400, "invalid_gzip")


@pytest.mark.parametrize(
    "content",
    [
        BODY,
        b"\x1f\x8b",
        PACKED[:-1],
        PACKED[:-8] + b"\0" * 8,
        PACKED[:12] + b"\xff" + PACKED[13:],
        PACKED + b"more",
        PACKED + PACKED[:7],
        zlib.compress(BODY),
        PACKED + gzip.compress(b"", mtime=0) * MAX_GZIP_MEMBERS,
    ],
)
def test_what_is_not_gzip_is_400_and_says_why(client: TestClient, content: bytes) -> None:
    answer = post(client, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_gzip")
    assert len(answer.json()["error"]["message"]) > 60


def test_nothing_compressed_is_an_empty_body(client: TestClient) -> None:
    for content in (b"", gzip.compress(b"", mtime=0)):
        assert post(client, content).json()["error"]["code"] == "empty_body"


def test_a_bomb_is_413_without_more_than_the_limit_in_memory(client: TestClient) -> None:
    bomb = gzip.compress(b"\0" * 400_000_000, 9, mtime=0)
    post(client, PACKED)
    tracemalloc.start()
    try:
        answer = post(client, bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert peak < 2 * Limits.max_body_bytes


def test_the_limit_is_that_of_the_uncompressed_body(client: TestClient) -> None:
    room = Limits.max_body_bytes - len(json.dumps({"texts": [""]}))
    fits, over = (json.dumps({"texts": [" " * size]}).encode() for size in (room, room + 1))
    assert post(client, gzip.compress(fits, mtime=0)).status_code == 422
    assert post(client, gzip.compress(over, mtime=0)).status_code == 413
