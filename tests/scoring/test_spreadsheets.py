"""Cells that come out of a file for a spreadsheet are never formulas."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import read_table
from assay.estimators import Cascade
from assay.scoring import score_table
from assay.scoring.spreadsheets import safe_cell

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("sign", SIGNS)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(sign: str) -> None:
    assert safe_cell(sign + "SUM(A1)") == f"'{sign}SUM(A1)"
    assert safe_cell(sign) == f"'{sign}"


@pytest.mark.parametrize(
    "cell", ["-5", "+3.2", "-1,5", "-.5", "+1e-07", "-12%", "-1,234.50", "", "a=b", " =1", "'=1", "5-3"]
)
def test_a_number_and_other_text_stay(cell: str) -> None:
    assert safe_cell(cell) == cell


@pytest.mark.parametrize("cell", ["-5+cmd|' /C calc'!A0", "+3.2=1", "-5\n", "-1e5(", "--1", "-\u0665"])
def test_what_only_begins_like_a_number_is_no_number(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("value", [None, -0.5, True, 7])
def test_what_is_no_text_stays(value: object) -> None:
    assert safe_cell(value) is value


@given(st.text(st.sampled_from("=+-@\t\r\n'5.,e%a ") | st.characters(), max_size=12))
def test_a_safe_cell_is_safe_and_stays_as_it_is(cell: str) -> None:
    safe = safe_cell(cell)
    assert safe in (cell, "'" + cell)
    assert safe_cell(safe) == safe
    if safe.startswith(SIGNS):
        assert float(safe.strip("%").replace(",", "").replace(".", "") or 0) is not None


def scored(cascade: Cascade, content: bytes, *, spreadsheet: bool) -> list[list[str]]:
    """Return the cells of a CSV that was scored."""
    out = io.BytesIO()
    with read_table(io.BytesIO(content), "csv") as table:
        score_table(cascade, table, "text", out, spreadsheet=spreadsheet)
    assert out.getvalue().startswith(b"\xef\xbb\xbf") == spreadsheet
    return list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


FORMULAS = b"=head,text,n\n=1+1,@free prize,-5\n\"=cmd|' /C calc'!A0\",lunch,+3.2,=over\n"


def test_header_and_cells_are_made_safe_when_that_is_asked_for(spam_cascade: Cascade) -> None:
    header, first, second = scored(spam_cascade, FORMULAS, spreadsheet=True)
    assert header[:3] == ["'=head", "text", "n"]
    assert first[:3] == ["'=1+1", "'@free prize", "-5"]
    assert (second[:3], second[-1]) == (["'=cmd|' /C calc'!A0", "lunch", "+3.2"], "'=over")


def test_cells_stay_as_they_are_else(spam_cascade: Cascade) -> None:
    header, first, second = scored(spam_cascade, FORMULAS, spreadsheet=False)
    assert (header[0], first[:3], second[-1]) == ("=head", ["=1+1", "@free prize", "-5"], "=over")


def test_the_text_is_decided_as_it_came(spam_cascade: Cascade) -> None:
    [_, first, _] = scored(spam_cascade, FORMULAS, spreadsheet=True)
    [decision] = spam_cascade.decide(["@free prize"])
    assert str(decision.score) in first
