"""Quantiles from buckets."""

import math
from bisect import bisect_left
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.telemetry.metrics.quantiles import quantile

BOUNDS = [0.1, 0.2, 0.5, 1.0, math.inf]


def buckets(values: list[float]) -> dict[float, float]:
    """Return the cumulative counts of a histogram."""
    counts = [0] * len(BOUNDS)
    for value in values:
        counts[bisect_left(BOUNDS, value)] += 1
    return dict(zip(BOUNDS, accumulate(counts), strict=True))


def test_nothing_has_no_quantile() -> None:
    assert quantile(0.5, {}) is None
    assert quantile(0.5, buckets([])) is None


def test_what_lies_in_the_last_bucket_is_given_as_where_it_begins() -> None:
    assert quantile(0.99, buckets([5.0])) == 1.0
    assert quantile(0.5, {math.inf: 3}) == 0.0


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0.275), (0.5, 0.35), (1.0, 0.5), (0.0, 0.2)])
def test_within_a_bucket_values_are_taken_to_lie_evenly(share: float, expected: float) -> None:
    assert quantile(share, buckets([0.3, 0.3, 0.4, 0.45])) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1.0), min_size=1, max_size=50), st.floats(0, 1))
def test_it_lies_in_the_bucket_of_the_exact_quantile(values: list[float], share: float) -> None:
    found, exact = quantile(share, buckets(values)), np.quantile(values, share, method="inverted_cdf")
    assert found is not None
    index = bisect_left(BOUNDS, exact)
    assert ([0.0, *BOUNDS][index] - 1e-9) <= found <= BOUNDS[index] + 1e-9


def test_counts_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        quantile(1.0, {1.0: 5, math.inf: math.nan})
