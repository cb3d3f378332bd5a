import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binomtest

from assay.evaluation import Interval
from assay.evaluation.intervals import exact_interval


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_exact_interval_equals_that_of_scipy(hits: int, rows: int) -> None:
    hits = min(hits, rows)
    found = exact_interval(hits, rows, reason="none")
    expected = binomtest(hits, rows).proportion_ci(0.95, "exact")
    assert found.value == hits / rows
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.holds(hits / rows)


def test_a_share_that_was_always_right_may_still_be_wrong() -> None:
    assert str(exact_interval(20, 20, reason="none")) == "1.0000 (0.8316 to 1.0000)"


def test_a_share_of_no_rows_says_why() -> None:
    assert exact_interval(0, 0, reason="no row is hit") == Interval(value=None, reason="no row is hit")


def test_an_interval_without_bounds_holds_nothing() -> None:
    assert not Interval(value=0.5).holds(0.5)
    assert not Interval(value=0.5, low=0.25, high=0.75).holds(0.8)


def test_an_interval_is_told_in_as_many_digits_as_asked() -> None:
    interval = Interval(value=0.51234, low=0.25, high=0.75)
    assert interval.text(2) == "0.51 (0.25 to 0.75)"
    assert Interval(value=0.51234).text(1) == "0.5"
    assert Interval(value=None, reason="no rows").text(1) == "undefined"


def test_a_value_and_a_reason_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="either a value or the reason"):
        Interval(value=0.5, reason="why")
