"""The bytes of a request to a file, wherever they are cut."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assay.exceptions import RequestRefused
from assay.service.files.spool import Spool
from assay.service.files.uploads import AROUND_BYTES, Receiver

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LONGEST = 100_000
FORM = "multipart/form-data; boundary=cut"


def form(content: bytes, name: str = "x.csv", *, more: bytes = b"", field: str = "file") -> bytes:
    """Return a form with one file."""
    head = f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n" + more + b"--cut--\r\n"


def received(
    spool: Path, chunks: list[bytes], content_type: str = FORM, encoding: str = ""
) -> tuple[str, bytes]:
    """Return the name and the bytes of the file that some chunks bring."""
    with ExitStack() as stack:
        receiver = Receiver(content_type, encoding, Spool(spool), LONGEST, stack)
        receiver.feed(chunks)
        upload = receiver.finish()
        content = upload.stream.read()
        assert upload.size == len(content)
        return upload.name, content


def outcome(spool: Path, chunks: list[bytes], encoding: str = "") -> tuple[Any, ...]:
    """Return the file of some chunks, or the error."""
    try:
        return received(spool, chunks, encoding=encoding)
    except RequestRefused as error:
        return (error.data["status"], error.data["code"])


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """Return some bytes in pieces."""
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[begin:end] for begin, end in pairwise(edges)]


PLACES = st.lists(st.integers(0, 10_000), max_size=12)
CONTENTS = st.lists(
    st.sampled_from([b"\r\n--cut", b"--cut--", b"\r\n--cu", b"\r", b"\n", b"--", b"text,n\r\n", b"\0", b"a"])
    | st.binary(max_size=20),
    max_size=20,
).map(b"".join)


def test_a_form_gives_its_file_wherever_it_is_cut(tmp_path: Path) -> None:
    @QUICK
    @given(CONTENTS.filter(lambda content: b"\r\n--cut" not in b"\r\n" + content), PLACES)
    @example(b"\r\n--cu", [5])
    def check(content: bytes, places: list[int]) -> None:
        assert received(tmp_path, cut(form(content), places)) == ("x.csv", content)

    check()


def test_any_form_has_one_outcome_wherever_it_is_cut(tmp_path: Path) -> None:
    @QUICK
    @given(CONTENTS, PLACES, st.sampled_from(["x.csv", "x.csv.gz", "x.exe"]), st.integers(0, 400))
    def check(content: bytes, places: list[int], name: str, end: int) -> None:
        whole = form(content, name)[: end or None]
        assert outcome(tmp_path, cut(whole, places)) == outcome(tmp_path, [whole])

    check()


def test_any_bytes_are_a_file_or_a_refusal(tmp_path: Path) -> None:
    @QUICK
    @given(st.binary(max_size=300), PLACES, st.sampled_from(["", "gzip"]))
    def check(content: bytes, places: list[int], encoding: str) -> None:
        for body in (content, b"--cut\r\n" + content):
            told = outcome(tmp_path, cut(body, places), encoding)
            assert told == outcome(tmp_path, [body], encoding)
            assert told[0] in (400, 415, 422) or isinstance(told[0], str)

    check()


def test_gzip_gives_its_file_wherever_it_is_cut(tmp_path: Path) -> None:
    @QUICK
    @given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), PLACES, st.integers(0, 20))
    def check(members: list[bytes], places: list[int], padding: int) -> None:
        packed = b"".join(map(gzip.compress, members)) + bytes(padding)
        whole = b"".join(members)
        assert received(tmp_path, cut(form(packed, "x.csv.gz"), places)) == ("x.csv.gz", whole)
        twice = gzip.compress(form(packed, "x.csv.gz"))
        assert received(tmp_path, cut(twice, places), encoding="gzip") == ("x.csv.gz", whole)

    check()


@pytest.mark.parametrize("size", [63, 64, 65, 128, 1000])
def test_gzip_steps_lose_nothing(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * 4 * size
    limited = content[:LONGEST]
    assert received(tmp_path, [gzip.compress(limited)], "text/csv", "gzip") == ("", limited)


def refused(spool: Path, body: bytes, content_type: str = FORM, encoding: str = "") -> tuple[int, str, str]:
    """Return status, code and message of the refusal of a body."""
    with pytest.raises(RequestRefused) as caught:
        received(spool, [body], content_type, encoding)
    return (caught.value.data["status"], caught.value.data["code"], caught.value.message)


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        (b"", 400, "empty_body", "no body"),
        (b"--cut--\r\n", 422, "invalid_request", "There is no file in the form"),
        (b"rubbish", 400, "invalid_form", "cannot be read"),
        (form(b"a")[:-6], 400, "invalid_form", "ends before its last boundary"),
        (form(b"a", field="text"), 422, "invalid_request", "?text="),
        (form(b"a", name="")[:-2], 422, "invalid_request", "There is no file"),
        (
            form(b"a", more=form(b"b").removesuffix(b"--cut--\r\n")),
            422,
            "invalid_request",
            "There are two files",
        ),
        (b"--cut\r\nContent-Type: text/csv\r\n\r\na\r\n--cut--\r\n", 422, "invalid_request", "'file'"),
        (
            b'--cut\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--cut--\r\n",
            400,
            "invalid_form",
            "base64",
        ),
        (b"--cut\r\n" + b"X-A: " + b"a" * 50_000, 400, "invalid_form", "cannot be read"),
        (b"--cut\r\n" + b"X-A: a\r\n" * 1_000, 400, "invalid_form", "cannot be read"),
    ],
)
def test_a_form_that_is_not_one_file_is_refused(
    tmp_path: Path, body: bytes, status: int, code: str, said: str
) -> None:
    told = refused(tmp_path, body)
    assert told[:2] == (status, code)
    assert said in told[2]


@pytest.mark.parametrize(
    ("content_type", "status", "said"),
    [
        ("", 415, "no Content-Type"),
        ("application/json", 415, "multipart/form-data"),
        ("text/csv; charset=windows-1252", 415, "windows-1252"),
        ("multipart/form-data", 400, "names no boundary"),
        ("multipart/form-data; boundary=" + "b" * 300, 400, "Boundary length"),
        ("application/gzip", 415, "text/csv"),
    ],
)
def test_a_type_that_is_no_file_is_refused(tmp_path: Path, content_type: str, status: int, said: str) -> None:
    told = refused(tmp_path, b"text\na\n", content_type)
    assert told[0] == status
    assert said in told[2]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    told = refused(tmp_path, b"a", "text/csv", encoding)
    assert told[:2] == (415, "unsupported_encoding")


def test_a_bomb_is_refused_long_before_it_is_uncompressed(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    written: list[int] = []

    class Counting(Spool):
        def write(self, file: Any, data: bytes) -> None:
            written.append(len(data))
            super().write(file, data)

    with ExitStack() as stack:
        receiver = Receiver("text/csv", "gzip", Counting(tmp_path), LONGEST, stack)
        with pytest.raises(RequestRefused, match="100,000 bytes"):
            receiver.feed([bomb])
    assert sum(written) <= LONGEST
    assert len(bomb) < LONGEST


def test_what_surrounds_a_file_is_limited_too(tmp_path: Path) -> None:
    assert refused(tmp_path, b"--cut\r\n" + form(b"a" * LONGEST + b"b"))[0] in (400, 413)
    assert refused(tmp_path, form(b"a") + b"x" * (LONGEST + AROUND_BYTES))[0] == 413


def test_a_declared_length_over_the_limit_is_refused_at_once(client: TestClient) -> None:
    def never() -> Iterator[bytes]:
        yield b"text\n"
        raise AssertionError("the body was read")

    headers = {"Content-Type": "text/csv", "Content-Length": str(10**10)}
    assert client.post("/batch", content=never(), headers=headers).status_code == 413
