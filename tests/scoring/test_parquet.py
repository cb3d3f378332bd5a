"""Parquet: the columns and their types stay, the decision's columns come after them."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.estimators import Cascade
from assay.scoring import COLUMNS
from tests.scoring.conftest import Score

NOT_UTF8 = pa.array([b"caf\xe9\xff", None], pa.binary()).view(pa.string())
COLUMNS_OF_THE_USER = {
    "whole": pa.array([2**64 - 1, None], pa.uint64()),
    "small float": pa.array([1.5, None], pa.float32()),
    "moment": pa.array([1, 2_000_000_001], pa.timestamp("ns")),
    "moment with zone": pa.array([1, None], pa.timestamp("us", tz="UTC")),
    "list": pa.array([[1, None], []]),
    "struct": pa.array([{"a": "x"}, None]),
    "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())),
    "category": pa.array(["x", None]).dictionary_encode(),
    "large": pa.array(["x", "y"], pa.large_string()),
    "bytes": pa.array([b"\xff", b""]),
    "nothing": pa.nulls(2),
    "not UTF-8": NOT_UTF8,
    "not UTF-8, category": NOT_UTF8.dictionary_encode(),
}


def bytes_of(columns: list[Any], names: list[str]) -> bytes:
    """Return a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names=names), out)
    return out.getvalue()


def read(content: bytes) -> Any:
    """Return the table of a Parquet file, two columns of one name too."""
    return pq.ParquetFile(io.BytesIO(content)).read()


def test_rows_gain_typed_decisions(score: Score, spam_cascade: Cascade) -> None:
    texts = ["free prize claim now", "lunch tomorrow"]
    table = read(score(bytes_of([texts], ["text"]), "parquet").content)
    decisions = spam_cascade.decide(texts)
    assert table.column_names == ["text", *COLUMNS]
    assert table["assay_label"].to_pylist() == [each.label for each in decisions]
    assert table["assay_score"].to_pylist() == [each.score for each in decisions]
    types = {name: str(table.schema.field(name).type) for name in COLUMNS}
    assert types.pop("assay_review") == "bool"
    assert [types.pop(f"assay_{name}") for name in ("confidence", "score", "threshold")] == ["double"] * 3
    assert set(types.values()) == {"string"}


@pytest.mark.parametrize("name", COLUMNS_OF_THE_USER)
def test_a_column_comes_out_as_it_went_in(score: Score, name: str) -> None:
    before = COLUMNS_OF_THE_USER[name]
    content = bytes_of([["lunch", "home"], before], ["text", "kept"])
    after = read(score(content, "parquet").content)["kept"].combine_chunks()
    assert after.equals(read(content)["kept"].combine_chunks())


def test_two_columns_of_one_name_both_stay(score: Score) -> None:
    content = bytes_of([[1, 2], ["lunch", "home"], ["x", "y"]], ["n", "text", "n"])
    table = read(score(content, "parquet").content)
    assert (table.column(0).to_pylist(), table.column(2).to_pylist()) == ([1, 2], ["x", "y"])


def test_a_text_that_cannot_be_scored_is_a_row_error(score: Score) -> None:
    texts = pa.array([b"caf\xe9", None, b"", b"lunch"], pa.binary()).view(pa.string())
    scored = score(bytes_of([texts], ["text"]), "parquet")
    table = read(scored.content)
    assert table["assay_error"].to_pylist() == [
        "The text in 'text' has bytes that are not UTF-8.",
        "The row has no text in 'text'.",
        "The text in 'text' is empty.",
        None,
    ]
    assert table["assay_label"].to_pylist() == [None, None, None, "ham"]
    assert table["text"].combine_chunks().equals(texts)


def test_a_second_scoring_replaces_the_first(score: Score) -> None:
    first = score(bytes_of([["lunch"]], ["text"]), "parquet")
    again = read(score(first.content, "parquet").content)
    assert again.column_names == ["text", *COLUMNS]


@pytest.mark.parametrize("rows", [0, 1, 4095, 4096, 4097])
def test_every_row_is_written_whatever_their_number(score: Score, rows: int) -> None:
    content = bytes_of([pa.array(["lunch"] * rows, pa.string()), list(range(rows))], ["text", "n"])
    table = read(score(content, "parquet").content)
    assert table["n"].to_pylist() == list(range(rows))
    assert table["assay_label"].to_pylist() == ["ham"] * rows


def test_rows_are_written_in_groups_and_not_kept_to_the_end(score: Score) -> None:
    content = bytes_of([["lunch"] * 10_000], ["text"])
    assert pq.ParquetFile(io.BytesIO(score(content, "parquet").content)).num_row_groups == 3
