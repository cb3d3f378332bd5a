"""CSV and TSV: every row comes out as it went in, its decision beside it."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators import Cascade, fault_of
from assay.exceptions import ColumnError
from assay.scoring import COLUMNS
from tests.scoring.conftest import Score

CELLS = st.text(
    st.one_of(st.sampled_from("\r\n\",;\t'\x00 a\udcff\udc80\u2028\ufeff"), st.characters(codec="utf-8"))
)


def test_a_row_keeps_its_cells_and_gains_its_decision(score: Score, spam_cascade: Cascade) -> None:
    scored = score(b"id,text,note\n7,free prize claim now,x\n")
    header, row = scored.cells()
    assert header == ["id", "text", "note", *COLUMNS]
    assert row[:3] == ["7", "free prize claim now", "x"]
    decided, [decision] = scored.records()[0], spam_cascade.decide(["free prize claim now"])
    assert decided["assay_label"] == decision.label == "spam"
    assert float(decided["assay_score"]) == decision.score
    assert float(decided["assay_confidence"]) == decision.confidence
    assert (decided["assay_threshold"], decided["assay_error"]) == ("0.5", "")
    assert len(decided["assay_id"]) == 32
    assert scored.tally.labels == {"spam": 1}


def test_a_ragged_row_is_kept_with_its_error_and_the_rest_go_on(score: Score) -> None:
    scored = score(b"text,note\nfree prize\nlunch,x,extra\nlunch tomorrow,y\n")
    short, long, whole = scored.cells()[1:]
    assert short[:2] == ["free prize", ""]
    assert short[-1] == "The row has 1 cells where the header has 2."
    assert (long[:2], long[-2:]) == (["lunch", "x"], ["The row has 3 cells where the header has 2.", "extra"])
    assert whole[2] == "ham"
    assert (scored.tally.rows, scored.tally.errors) == (3, 2)


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        (b"", "The text in 'text' is empty."),
        (b'" \t "', "The text in 'text' is empty."),
        (b"caf\xe9 \xff", "The text in 'text' has bytes that are not UTF-8."),
        (b"x" * 65_537, "The text in 'text' has 65,537 bytes of UTF-8; at most 65,536 are allowed."),
    ],
)
def test_a_text_that_cannot_be_scored_is_a_row_error(score: Score, cell: bytes, error: str) -> None:
    scored = score(b"text,n\n" + cell + b",1\nlunch,2\n")
    bad, good = scored.records()
    assert (bad["assay_error"], bad["assay_label"], bad["assay_id"]) == (error, "", "")
    assert good["assay_label"] == "ham"


def test_a_byte_order_mark_stays_and_is_no_part_of_the_header(score: Score) -> None:
    mark = "\ufeff".encode()
    marked, plain = score(mark + b"text,n\nlunch,1\n"), score(b"text,n\nlunch,1\n")
    assert marked.content.startswith(mark + b"text,n,assay_label")
    assert marked.content.count(mark) == 1
    assert plain.content.startswith(b"text,n,assay_label")


def test_blank_lines_are_no_rows(score: Score) -> None:
    scored = score(b"text,n\n\nlunch,1\n\r\n\n")
    assert (scored.tally.rows, scored.tally.errors, len(scored.cells())) == (1, 0, 2)


def test_bytes_that_are_not_utf8_go_out_as_they_came(score: Score) -> None:
    assert (
        score(b"text,name\nlunch,caf\xe9\xff\n").content.splitlines()[1].startswith(b"lunch,caf\xe9\xff,ham,")
    )


def test_nul_is_text(score: Score) -> None:
    [row] = score(b"text,n\nfree\x00prize,a\x00b\n").records()
    assert (row["text"], row["n"], row["assay_error"]) == ("free\x00prize", "a\x00b", "")


def test_quoted_line_ends_stay_in_their_cell(score: Score) -> None:
    scored = score(b'text,n\r\n"free\r\nprize","a\rb"\r\nlunch,"c\nd"\r\n')
    assert [row[:2] for row in scored.cells()[1:]] == [["free\r\nprize", "a\rb"], ["lunch", "c\nd"]]


@pytest.mark.parametrize(("format", "mark"), [("csv", ";"), ("csv", "|"), ("tsv", "\t")])
def test_the_separator_stays(score: Score, format: str, mark: str) -> None:
    scored = score(f'n{mark}text\n1{mark}"free, prize{mark} now"\n'.encode(), format)
    assert scored.cells(mark)[1][:3] == ["1", f"free, prize{mark} now", "spam"]


def test_decisions_of_an_earlier_scoring_are_replaced(score: Score) -> None:
    first = score(b"text,n\nlunch tomorrow,1\n")
    again = score(first.content)
    assert again.cells()[0] == first.cells()[0]
    old, new = first.records()[0], again.records()[0]
    assert old.pop("assay_id") != new.pop("assay_id")
    assert new == old


def test_a_column_of_the_user_that_begins_like_ours_stays(score: Score) -> None:
    assert score(b"assay_lab,text\nb12,lunch\n").records()[0]["assay_lab"] == "b12"


def test_two_columns_of_one_name_both_stay(score: Score) -> None:
    assert score(b"n,text,n\n1,lunch,2\n").cells()[1][:4] == ["1", "lunch", "2", "ham"]


def test_the_column_of_texts_must_be_one(score: Score) -> None:
    with pytest.raises(ColumnError, match=r"has 2 columns named 'text'"):
        score(b"text,text\na,b\n", column="text")
    with pytest.raises(ColumnError, match=r"has no column 'body'; its columns are \['text', 'n'\]"):
        score(b"text,n\na,b\n", column="body")


def test_a_quote_that_is_never_closed_is_an_error_of_its_row(score: Score) -> None:
    scored = score(b'text,n\nlunch,1\n"free prize,2\nhome,3\n')
    good, bad = scored.records()
    assert good["assay_label"] == "ham"
    assert "a quote opens in this row, on or after line 3, and is never closed" in bad["assay_error"]


def test_three_labels_have_no_threshold(score: Score, abuse_cascade: Cascade) -> None:
    [row] = score(b"text\nlunch home meeting\n", cascade=abuse_cascade).records()
    [decision] = abuse_cascade.decide(["lunch home meeting"])
    assert (row["assay_label"], row["assay_threshold"]) == ("neither", "")
    assert float(row["assay_confidence"]) == decision.confidence


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=8), mark=st.sampled_from(",;\t|"))
def test_any_cells_come_out_as_they_went_in(
    score: Score, spam_cascade: Cascade, rows: list[tuple[str, str]], mark: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "note"), *rows])
    scored = score(text.getvalue().encode("utf-8", "surrogateescape"))
    assert [tuple(row[:2]) for row in scored.cells(mark)[1:]] == rows
    usable = [row for row, _ in rows if fault_of(row) is None]
    labels = [row[2] for row in scored.cells(mark)[1:] if row[2]]
    assert labels == spam_cascade.predict(usable)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=4), mark=st.sampled_from(",;\t|. 0'"))
def test_rows_are_quoted_as_the_csv_module_does(score: Score, rows: list[tuple[str, str]], mark: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL).writerows([("text", "note"), *rows])
    scored = score(f"sep={mark}\n{text.getvalue()}".encode("utf-8", "surrogateescape"), column="text")
    again = io.StringIO(newline="")
    # The module quotes a line end within a cell only where the end of a row has its character.
    writer = csv.writer(again, delimiter=mark, lineterminator="\r\n")
    lines = []
    for cells in scored.cells(mark):
        again.seek(0)
        again.truncate()
        writer.writerow(cells)
        lines.append(again.getvalue().removesuffix("\r\n") + "\n")
    assert scored.content.decode("utf-8", "surrogateescape") == "".join(lines)
