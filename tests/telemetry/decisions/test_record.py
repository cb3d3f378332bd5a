"""A record of a decision: what a line holds, and that it is read as it was written."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.telemetry import DECISION_FIELDS, Record
from assay.telemetry.decisions.record import read_line, written
from tests.telemetry.decisions.deciding import record

TEXT = st.text(st.characters(codec="utf-8"))
SHARE = st.floats(0, 1)
KNOWN = {
    "score": st.none() | SHARE, "threshold": st.none() | SHARE,
    "decided_by": st.sampled_from(["rule", "model"]),
    "rule": st.none() | TEXT, "review": st.booleans(), "characters": st.integers(0, 10**6),
    "unknown": st.none() | SHARE, "text_hash": TEXT, "text": st.none() | TEXT, "subject": st.none() | TEXT,
    "request_id": TEXT, "key": TEXT, "route": TEXT, "share": st.floats(0, 1, exclude_min=True),
}  # fmt: skip
FULL = {
    "score": 0.25, "threshold": 0.5, "decided_by": "rule", "rule": "prize", "review": True, "characters": 4,
    "unknown": 0.5, "text_hash": "ab", "text": "free", "subject": "cd", "request_id": "r", "key": "shop",
    "route": "/predict", "share": 0.5,
}  # fmt: skip


def told(given: Record) -> dict[str, Any]:
    """Return the fields of a line as the format says: in their order, what is empty left out."""
    whole = {each.name: (getattr(given, each.name), each.default) for each in fields(Record)}
    moment = datetime.fromtimestamp(given.at, UTC).isoformat(timespec="microseconds")
    return {"at": moment} | {
        name: value for name, (value, default) in whole.items() if name != "at" and value != default
    }


@given(st.integers(0, 2**42).map(lambda at: at / 1000), st.fixed_dictionaries({}, optional=KNOWN))
def test_a_line_holds_what_is_not_empty_and_is_read_as_it_was(at: float, known: dict[str, Any]) -> None:
    made = record(at=at, **known)
    line = made.line()
    assert line == orjson.dumps(told(made), option=orjson.OPT_APPEND_NEWLINE)
    assert line.count(b"\n") == 1
    assert read_line(line) == made


def test_every_field_has_a_meaning_and_every_meaning_a_field() -> None:
    assert list(json.loads(record(**FULL).line())) == list(DECISION_FIELDS)
    assert [each.name for each in fields(Record)] == list(DECISION_FIELDS)


@pytest.mark.parametrize("at", [0.0, 1.0, 1_760_344_862.999, 1_760_344_862.9999999, 1_760_344_863.000001])
def test_a_moment_is_written_to_the_microsecond(at: float) -> None:
    assert written(at) == datetime.fromtimestamp(round(at, 6), UTC).isoformat(timespec="microseconds")


@given(st.binary())
def test_what_is_no_line_of_the_log_is_none(line: bytes) -> None:
    assert read_line(line) is None


def test_a_torn_line_is_none() -> None:
    line = record(**FULL).line()
    assert all(read_line(line[:length]) is None for length in range(len(line) - 1))
