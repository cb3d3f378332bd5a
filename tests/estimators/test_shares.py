import math
import sys

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from assay.estimators import draw_bounds, share_bounds
from assay.exceptions import MissingExtra


@pytest.mark.parametrize(("hits", "rows"), [(1, 10), (5, 10), (9, 10), (1, 1000), (480, 650)])
def test_exact_intervals_leave_a_fortieth_in_each_tail(hits: int, rows: int) -> None:
    low, high = share_bounds(hits, rows)
    assert binom.sf(hits - 1, rows, low) == pytest.approx(0.025)
    assert binom.cdf(hits, rows, high) == pytest.approx(0.025)


def test_exact_intervals_of_none_and_all_have_one_tail() -> None:
    reach = 1 - 0.025 ** (1 / 10)
    assert share_bounds(0, 10) == pytest.approx((0.0, reach))
    assert share_bounds(10, 10) == pytest.approx((1 - reach, 1.0))
    assert share_bounds(0, 0) == (0.0, 1.0)


def test_another_confidence_is_that_of_scipy() -> None:
    expected = binomtest(7, 20).proportion_ci(0.8, "exact")
    assert share_bounds(7, 20, confidence=0.8) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("hits", "rows"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(hits: int, rows: int) -> None:
    with pytest.raises(ValueError, match=f"got {hits} of {rows}"):
        share_bounds(hits, rows)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match=r"assay\[train\]"):
        share_bounds(1, 2)


def test_bounds_hold_the_middle_share_of_the_draws() -> None:
    assert draw_bounds(np.arange(1001.0)) == pytest.approx((25, 975))
    assert draw_bounds(np.arange(1001.0), 0.8) == pytest.approx((100, 900))


def test_bounds_leave_undefined_draws_out() -> None:
    assert draw_bounds(np.array([math.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert draw_bounds(np.array([math.nan])) is None
