"""What is counted of a line: the same as of its record."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.telemetry.feedback.lines import Counted, counted_in, record_in
from tests.telemetry.feedback.logs import NOW, record

FIELDS = {
    "label": st.sampled_from(["ham", "spam", "é"]), "decided_by": st.sampled_from(["rule", "model"]),
    "review": st.booleans(), "confidence": st.floats(0, 1), "share": st.floats(0, 1, exclude_min=True),
    "version": st.text("12", max_size=2), "text": st.none() | st.text(st.characters(codec="utf-8")),
}  # fmt: skip
COUNTED = sorted({*Counted._fields, "id", "model"})
VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=3)


@given(st.integers(0, 2**41).map(lambda at: at / 1000), st.fixed_dictionaries({}, optional=FIELDS))
def test_what_is_counted_of_a_line_is_what_its_record_says(at: float, known: dict[str, Any]) -> None:
    line = record(at, **known).line()
    found, whole = counted_in(line), record_in(line)
    assert found is not None
    assert found == Counted(**{name: getattr(whole, name) for name in Counted._fields})


@given(st.dictionaries(st.sampled_from(COUNTED), VALUES, min_size=1))
def test_a_line_is_counted_where_it_has_a_record(changed: dict[str, Any]) -> None:
    line = orjson.dumps(orjson.loads(record(NOW).line()) | changed)
    found, whole = counted_in(line), record_in(line)
    assert (found is None) == (whole is None)
    if found is not None:
        assert found == Counted(**{name: getattr(whole, name) for name in Counted._fields})


@pytest.mark.parametrize("name", ["at", "id", "model", "task", "version", "label", "confidence"])
def test_a_line_without_a_field_that_all_have_is_none_of_the_logs(name: str) -> None:
    fields = orjson.loads(record(NOW).line())
    del fields[name]
    assert counted_in(orjson.dumps(fields)) is record_in(orjson.dumps(fields)) is None


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[]", b"7", b"null", record(NOW).line()[:-9]])
def test_what_is_no_line_is_not_counted(line: bytes) -> None:
    assert counted_in(line) is None
