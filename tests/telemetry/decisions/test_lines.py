"""Lines are records, or none and passed over; whatever stands in a file."""

import io
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.telemetry import Record
from assay.telemetry.decisions.lines import LONGEST_LINE, is_whole, lines_of, open_file, parse
from tests.telemetry.decisions.written import record

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SHARE = st.floats(0, 1)
RECORDS = st.builds(
    Record,
    at=st.integers(0, 4_000_000_000_000_000).map(lambda micros: micros / 1_000_000),
    id=st.uuids().map(lambda each: each.hex),
    task=TEXT,
    model=TEXT,
    version=TEXT,
    label=TEXT,
    confidence=SHARE,
    score=st.none() | SHARE,
    threshold=st.none() | SHARE,
    rule=st.none() | TEXT.filter(bool),
    review=st.booleans(),
    characters=st.integers(0, 100_000),
    unknown=st.none() | SHARE,
    text=st.none() | TEXT,
    subject=st.none() | TEXT,
    key=TEXT,
    share=st.floats(0.001, 1),
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(written: Record) -> None:
    line = written.line()
    found = parse(line)
    assert is_whole(line)
    assert found is not None
    assert found.record == written
    assert found.more == {}


@given(st.binary())
def test_any_bytes_are_a_record_or_none(data: bytes) -> None:
    found = parse(data)
    assert found is None or isinstance(found.record, Record)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(sorted(orjson.loads(record().line()))), JSON))
def test_fields_of_any_kind_are_a_record_or_none(changed: dict[str, object]) -> None:
    try:
        line = orjson.dumps(orjson.loads(record().line()) | changed)
    except TypeError:
        return
    found = parse(line)
    if found is not None:
        assert isinstance(found.record.label, str)
        assert isinstance(found.record.confidence, int | float)


def test_fields_of_a_newer_format_are_kept_apart() -> None:
    line = orjson.dumps(orjson.loads(record(3).line()) | {"mood": "blue"})
    found = parse(line)
    assert found is not None
    assert (found.record, found.more) == (record(3), {"mood": "blue"})


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\n", b"null", b"[1]", b"{}", b'{"at":"2026-11-17T12:00:00+00:00"}', b'{"at":5}'),
        record().line()[:-20],
        record().line().replace(b'"confidence":0.75', b'"confidence":"high"'),
        record().line().replace(b'"confidence":0.75,', b""),
        record(share=0.5).line().replace(b'"share":0.5', b'"share":0'),
        record().line().replace(b"2026-", b"soon-"),
    ],
)
def test_what_is_no_record_is_none(line: bytes) -> None:
    assert parse(line) is None


def test_lines_are_cut_up_to_a_size() -> None:
    data = b"one\ntwo\nthree"
    assert list(lines_of(io.BytesIO(data))) == [b"one\n", b"two\n", b"three"]
    assert list(lines_of(io.BytesIO(data), 6)) == [b"one\n", b"tw"]
    assert list(lines_of(io.BytesIO(data), 4)) == [b"one\n"]


@pytest.mark.parametrize("size", [None, 3 * LONGEST_LINE + 10])
def test_of_a_line_without_end_only_the_beginning_is_held(size: int | None) -> None:
    data = b"x" * (2 * LONGEST_LINE + 5) + b"\nshort\n"
    found = list(lines_of(io.BytesIO(data), size))
    assert [len(line) for line in found] == [LONGEST_LINE, 6]
    exact = b"x" * LONGEST_LINE + b"\nshort\n"
    assert [len(line) for line in lines_of(io.BytesIO(exact), size)] == [LONGEST_LINE, 6]


def test_a_pipe_in_a_file_s_place_holds_nobody_up(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "predictions.jsonl")
    with ExitStack() as stack:
        assert list(lines_of(open_file(tmp_path / "predictions.jsonl", stack))) == []
