"""Which texts can be scored, and what is wrong with the others."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.config import MAX_TEXT_BYTES
from assay.estimators import fault_of


@given(st.text())
@example(" \n\u3000\x1c")
@example("\x00")
def test_valid_text_that_is_not_blank_has_no_fault(text: str) -> None:
    assert (fault_of(text) is None) == bool(text.strip())


@pytest.mark.parametrize("character", ["x", "é", "日", "👩", "\x00"])
def test_the_limit_counts_bytes_of_utf_8(character: str) -> None:
    fits = MAX_TEXT_BYTES // len(character.encode())
    assert fault_of(character * fits) is None
    assert "bytes of UTF-8; at most 65,536" in str(fault_of(character * (fits + 1)))


def test_a_lone_surrogate_is_named_with_its_place() -> None:
    assert fault_of("ab\udfff") == "has a lone surrogate at character 2, which is not valid Unicode"


@pytest.mark.parametrize("thing", [None, 1, b"bytes", ["text"]])
def test_what_is_no_text_is_named_by_its_type(thing: object) -> None:
    assert fault_of(thing) == f"is of type {type(thing).__name__}, not text"
