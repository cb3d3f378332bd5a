import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import Row, read_table
from assay.exceptions import DataError

TEXTS = st.text(max_size=20) | st.text('\0\r\n\u2028\x85\ud800é"\\', max_size=5)
RECORDS = st.dictionaries(
    TEXTS, TEXTS | st.none() | st.integers() | st.booleans() | st.lists(TEXTS), max_size=5
)


def rows_of(content: bytes) -> list[Row]:
    with read_table(io.BytesIO(content), "jsonl", name="mail.jsonl") as table:
        return list(table)


@given(st.lists(RECORDS, min_size=1, max_size=8))
def test_what_was_written_is_read(records: list[dict[str, Any]]) -> None:
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    rows = rows_of(content)
    assert [row.to_dict() for row in rows] == records
    assert all(row.fault is None for row in rows)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_text_written_as_utf_8_is_read(texts: list[str]) -> None:
    content = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    assert [row.get("text") for row in rows_of(content.encode())] == texts


def test_columns_are_the_keys_of_the_first_object() -> None:
    with read_table(
        io.BytesIO(b'oops\n{"text": "a", "label": "b"}\n{"text": "c", "n": 1}\n'), "jsonl"
    ) as table:
        assert table.columns == ("text", "label")
        assert [row.to_dict() for row in table][1:] == [{"text": "a", "label": "b"}, {"text": "c", "n": 1}]


def test_numbers_of_rows_are_those_of_lines() -> None:
    rows = rows_of(b'\xef\xbb\xbf{"text": "a"}\n\n \r\n{"text": "b"}')
    assert [(row.number, row.get("text")) for row in rows] == [(1, "a"), (4, "b")]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"text": "a"', "not_json"),
        (b"{'text': 'a'}", "not_json"),
        (b'{"text": ' + b"[" * 100_000, "not_json"),
        (b'{"text": ' + b"1" * 5_000 + b"}", "not_json"),
        (b'"a"', "not_object"),
        (b"null", "not_object"),
        (b"[1]", "not_object"),
    ],
    ids=["cut", "quotes", "deep", "long number", "text", "null", "array"],
)
def test_a_line_that_is_no_object_is_a_fault_of_that_row_alone(line: bytes, kind: str) -> None:
    rows = rows_of(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n')
    assert [row.fault and row.fault.kind for row in rows] == [None, kind, None]


@pytest.mark.parametrize("content", [b'[{"text": "a"}]', b'[\n{"text": "a"},\n{"text": "b"}\n]'])
def test_a_json_array_is_refused_with_the_way_out(content: bytes) -> None:
    with pytest.raises(DataError, match=r"mail.jsonl holds a JSON array.*jq"):
        rows_of(content)


def test_bytes_that_are_not_utf_8_are_kept() -> None:
    (row,) = rows_of(b'{"text": "caf\xe9"}\n')
    assert row.get("text") == "caf\udce9"
