"""``--explain``: one more column, of JSON, in every format."""

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.datasets import read_table
from assay.estimators import Cascade
from assay.scoring import COLUMNS, score_table

TEXTS = ["f.r.e.e offer", "", "urgent text, winner"]


def scored(cascade: Cascade, content: bytes, format: Any, *, explain: bool) -> bytes:
    """Return a file scored."""
    out = io.BytesIO()
    with read_table(io.BytesIO(content), format) as table:
        score_table(cascade, table, "text", out, explain=explain)
    return out.getvalue()


def written(format: str) -> bytes:
    """Return the texts as a file."""
    if format == "jsonl":
        return "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()
    if format == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.table({"text": TEXTS}), out)
        return out.getvalue()
    text = io.StringIO()
    csv.writer(text).writerows([["text"], *([each] for each in TEXTS)])
    return text.getvalue().encode()


def read(content: bytes, format: str) -> list[dict[str, Any]]:
    """Return the rows of a file."""
    if format == "jsonl":
        return [json.loads(line) for line in content.splitlines()]
    if format == "parquet":
        return pq.read_table(io.BytesIO(content)).to_pylist()
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_the_column_holds_what_decide_explains(ruled_cascade: Cascade, format: str) -> None:
    rows = read(scored(ruled_cascade, written(format), format, explain=True), format)
    assert list(rows[0]) == ["text", *COLUMNS, "assay_explanation"]
    told = [row["assay_explanation"] for row in rows]
    if format != "jsonl":
        told = [json.loads(each or "null") for each in told]
    first, last = (each.explanation for each in ruled_cascade.decide([TEXTS[0], TEXTS[2]], explain=True))
    assert told == [
        json.loads(json.dumps(first and first.to_dict())),
        None,
        json.loads(json.dumps(last and last.to_dict())),
    ]
    assert rows[1]["assay_error"] == "The text in 'text' is empty."


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_scoring_again_without_it_takes_the_column_away(ruled_cascade: Cascade, format: str) -> None:
    once = scored(ruled_cascade, written(format), format, explain=True)
    again = read(scored(ruled_cascade, once, format, explain=False), format)
    assert list(again[0]) == ["text", *COLUMNS]
