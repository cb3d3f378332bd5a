"""JSON Lines: every object comes out as it went in, the decision's keys after its own."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators import Cascade
from assay.scoring import COLUMNS
from tests.scoring.conftest import Score, Scored

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def lines(scored: Scored) -> list[dict[str, Any]]:
    """Return the objects of a scored file."""
    return [json.loads(line) for line in scored.content.splitlines()]


def test_an_object_keeps_its_keys_and_gains_its_decision(score: Score, spam_cascade: Cascade) -> None:
    [row] = lines(score(b'{"n": [1, {"a": null}], "text": "free prize claim now"}\n', "jsonl"))
    [decision] = spam_cascade.decide(["free prize claim now"])
    assert list(row) == ["n", "text", *COLUMNS]
    assert row["n"] == [1, {"a": None}]
    assert (row["assay_label"], row["assay_score"]) == (decision.label, decision.score)
    assert (row["assay_review"], row["assay_rule"], row["assay_error"]) == (False, None, None)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"text": 5}', "The text in 'text' is of type int, not text."),
        (b'{"text": null}', "The row has no text in 'text'."),
        (b'{"other": "x"}', "The row has no text in 'text'."),
        (b'{"text": ["a"]}', "The text in 'text' is of type list, not text."),
        (b'{"text": "a \\ud800"}', "lone surrogate at character 2"),
        (b'{"text": "a \xff"}', "The text in 'text' has bytes that are not UTF-8."),
        (b'{"text": "  "}', "The text in 'text' is empty."),
        (b"{broken", "The row is not JSON"),
        (b"[1]", "The row is not a JSON object but list."),
    ],
)
def test_a_line_that_cannot_be_scored_is_a_row_error(score: Score, line: bytes, error: str) -> None:
    scored = score(b'{"text": "lunch"}\n' + line + b'\n{"text": "home"}\n', "jsonl")
    first, bad, last = lines(scored)
    assert error in bad["assay_error"]
    assert (bad["assay_label"], bad["assay_id"]) == (None, None)
    assert (first["assay_label"], last["assay_label"]) == ("ham", "ham")
    assert scored.tally.errors == 1


def test_a_lone_surrogate_beside_the_text_comes_out_as_it_went_in(score: Score) -> None:
    [row] = lines(score(b'{"text": "lunch", "n": "\\ud800\\udfff \\ud800"}\n', "jsonl"))
    assert (row["n"], row["assay_label"]) == ("\U000103ff \ud800", "ham")


def test_a_line_that_is_not_json_is_kept_as_it_stands(score: Score) -> None:
    _, bad = lines(score(b'{"text": "lunch"}\n {oops \n', "jsonl"))
    assert bad["line"] == "{oops"


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), min_size=1, max_size=6))
def test_any_object_comes_out_as_it_went_in(score: Score, rows: list[dict[str, Any]]) -> None:
    written = [{"text": "lunch", **row} for row in rows]
    scored = score(b"".join(json.dumps(row).encode() + b"\n" for row in written), "jsonl", "text")
    assert [{key: row[key] for key in row if key not in COLUMNS} for row in lines(scored)] == written
