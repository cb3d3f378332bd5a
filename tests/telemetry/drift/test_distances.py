"""Distances and their tests, against scipy and against chance itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import kolmogorov as kolmogorov_of_scipy
from scipy.stats import chi2, chi2_contingency, ks_2samp

from assay.telemetry import checks_of, distance_of, kolmogorov, max_difference, psi, psi_by_chance, ratio_test
from assay.telemetry.drift.distances import chi_squared_tail
from tests.telemetry.drift.profiles import categories, numbers

VECTORS = st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), min_size=2, max_size=20)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return two vectors of counts, none of them empty."""
    first, second = np.array(pairs, np.int64).T
    first[0] += 1
    second[0] += 1
    return first, second


@given(st.floats(0, 1_000), st.integers(1, 60))
def test_the_tail_of_chi_squared_is_that_of_scipy(value: float, degrees: int) -> None:
    assert chi_squared_tail(value, degrees) == pytest.approx(chi2.sf(value, degrees), rel=1e-10, abs=1e-300)


@given(st.floats(0, 20))
def test_the_tail_of_kolmogorov_is_that_of_scipy(value: float) -> None:
    assert kolmogorov(value) == pytest.approx(kolmogorov_of_scipy(value), rel=1e-10, abs=1e-15)


def test_the_series_of_kolmogorov_meet() -> None:
    assert kolmogorov(1 - 1e-12) == pytest.approx(kolmogorov(1.0), rel=1e-10)
    assert kolmogorov(0.0) == 1.0
    assert chi_squared_tail(0.0, 3) == chi_squared_tail(5.0, 0) == 1.0


@settings(deadline=None)
@given(VECTORS)
def test_the_ratio_test_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    before, after = arrays(pairs)
    filled = (before + after) > 0
    if filled.sum() < 2:
        assert ratio_test(before, after) == 1.0
        return
    table = np.array([before, after])[:, filled]
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    # Where nothing differs both are a rounding away from 1.
    assert ratio_test(before, after) == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-200) or (
        expected.statistic < 1e-6
    )


@given(VECTORS)
def test_psi_is_never_negative_symmetric_and_nothing_for_equal_counts(pairs: list[tuple[int, int]]) -> None:
    before, after = arrays(pairs)
    assert 0 <= psi(before, after) < math.inf
    assert psi(before, after) == pytest.approx(psi(after, before))
    assert psi(before, before) == 0
    assert ratio_test(before, before) == pytest.approx(1.0)


def test_binned_values_give_the_statistic_of_kolmogorov_and_smirnov() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 8, 700), rng.integers(1, 9, 300)
    counts = [np.bincount(each, minlength=9) for each in (first, second)]
    expected = ks_2samp(first, second)
    assert max_difference(*counts) == pytest.approx(expected.statistic)
    reference = numbers("characters", {float(at): int(n) for at, n in enumerate(counts[0], start=1)})
    found = distance_of(reference, counts[1])
    assert found.ks == pytest.approx(expected.statistic)
    limit = kolmogorov_of_scipy(expected.statistic * math.sqrt(210))
    assert found.p == pytest.approx(min(limit, ratio_test(*counts)), rel=1e-10)


@pytest.mark.parametrize("rows", [200, 25_000])
def test_without_a_change_p_values_are_uniform_and_psi_is_what_chance_makes(rows: int) -> None:
    rng = np.random.default_rng(7)
    shares = np.array([0.01, 0.04, *[0.1] * 9, 0.05])
    shares /= shares.sum()
    ps, psis, expected = [], [], []
    for _ in range(1_500):
        before, after = rng.multinomial(rows, shares), rng.multinomial(1_000, shares)
        ps.append(ratio_test(before, after))
        psis.append(psi(before, after))
        expected.append(psi_by_chance(before, after))
    # An honest p-value is under x in a share x of the cases; 1,500 cases tell it to 0.04.
    assert [np.mean(np.array(ps) <= x) for x in (0.1, 0.5, 0.9)] == pytest.approx([0.1, 0.5, 0.9], abs=0.045)
    assert np.mean(np.array(ps) <= 0.001) < 0.006
    assert np.mean(psis) == pytest.approx(np.mean(expected), rel=0.1)


def test_the_share_of_a_rare_bin_keeps_to_its_p_value_far_out() -> None:
    # Five of a thousand expected, sixteen seen: by Pearson's test once in a million, in truth oftener.
    before, after = np.array([5_000, 995_000]), np.array([16, 984])
    assert chi2_contingency(np.array([before, after]), correction=False).pvalue < 2e-6
    assert 5e-5 < ratio_test(before, after) < 2e-4


def test_nothing_can_be_said_without_rows() -> None:
    reference = categories("label", {"ham": 0, "spam": 0})
    assert distance_of(reference, [3, 4]) == ("label", 7, 0.0, 0.0, 1.0, None)
    assert distance_of(categories("label", {"ham": 3, "spam": 4}), [0, 0]).p == 1.0


def test_numbers_are_put_to_two_tests_and_categories_to_one() -> None:
    assert checks_of(numbers("score", {0.5: 1, 1: 1})) == 2
    assert checks_of(categories("label", {"ham": 1})) == 1
