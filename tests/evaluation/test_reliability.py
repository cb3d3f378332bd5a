from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from assay.evaluation import Interval
from assay.evaluation.reliability import Reliability, bin_starts, reflected, reliability_of


def measured(truth: Any, stated: Any, **more: Any) -> Reliability:
    """Return the reliability of probabilities of the second of two labels."""
    stated = np.asarray(stated, dtype=np.float64)
    given = {"positive": 1, "event": "Probability of spam", "method": "none", "resamples": 200, "seed": 0}
    return reliability_of(np.asarray(truth), np.column_stack([1 - stated, stated]), **given | more)


def drawn(rows: int, *, slope: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and stated probabilities; a slope below 1 makes the truth less sure than is stated."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(-slope * logits))
    return truth.astype(np.int64), 1 / (1 + np.exp(-logits))


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    truth, stated = drawn(500)
    assert measured(truth, stated).brier.value == pytest.approx(brier_score_loss(truth, stated), abs=1e-12)


def test_the_brier_score_of_more_labels_sums_over_all_of_them() -> None:
    rng = np.random.default_rng(0)
    truth, stated = rng.integers(0, 3, 300), rng.dirichlet(np.ones(3), 300)
    found = reliability_of(truth, stated, positive=None, event="?", method="none", resamples=20, seed=0)
    expected = ((stated - np.eye(3)[truth]) ** 2).sum(axis=1).mean()
    assert found.brier.value == pytest.approx(expected, abs=1e-12)


def test_more_labels_are_judged_by_the_most_probable_one() -> None:
    stated = np.array([[0.6, 0.3, 0.1]] * 10 + [[0.1, 0.1, 0.8]] * 10)
    truth = np.array([0] * 5 + [1] * 5 + [2] * 10)
    found = reliability_of(truth, stated, positive=None, event="?", method="none", resamples=20, seed=0)
    # One bin of 20 rows: 0.7 stated on average, 15 of 20 right.
    [held] = found.bins
    assert (held.count, held.probability, held.observed.value) == (20, pytest.approx(0.7), 0.75)
    assert found.ece.value == pytest.approx(0.05)


def test_the_error_is_the_mean_distance_of_the_bins() -> None:
    truth = [0] * 20 + [1] * 10 + [0] * 10
    found = measured(truth, [0.1] * 20 + [0.9] * 20)
    # |0.1 - 0| and |0.9 - 0.5|, half of the rows each.
    assert found.ece.value == pytest.approx(0.25)
    assert [(held.count, held.probability, held.observed.value) for held in found.bins] == [
        (20, pytest.approx(0.1), 0.0),
        (20, pytest.approx(0.9), 0.5),
    ]
    assert [(held.lowest, held.highest) for held in found.bins] == [(0.1, 0.1), (0.9, 0.9)]
    assert found.bins[0].observed.high == pytest.approx(0.1684, abs=1e-4)


def test_bins_hold_about_equally_many_rows() -> None:
    found = measured(*drawn(1507))
    assert len(found.bins) == 15
    assert all(held.lowest < held.probability < held.highest for held in found.bins)
    assert all(one.highest < other.lowest for one, other in pairwise(found.bins))
    assert {held.count for held in found.bins} == {100, 101}
    assert len(measured(*drawn(99)).bins) == 4
    assert len(measured(*drawn(5)).bins) == 1


@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1, max_size=200))
def test_equal_probabilities_share_a_bin(stated: list[float]) -> None:
    rising = np.sort(stated)
    starts = bin_starts(rising)
    assert starts[0] == 0
    assert all(rising[start] > rising[start - 1] for start in starts[1:].tolist())


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.25, 0.9, 1.0])), min_size=1, max_size=90)
)
def test_the_order_of_rows_changes_nothing(rows: list[tuple[bool, float]]) -> None:
    truth, stated = (np.array(column) for column in zip(*rows, strict=True))
    turned = measured(truth[::-1].astype(int), stated[::-1], resamples=10)
    assert measured(truth.astype(int), stated, resamples=10) == turned


def test_true_probabilities_show_the_error_of_chance() -> None:
    found = [measured(*drawn(2000, seed=seed)) for seed in range(12)]
    by_chance = np.mean([each.ece_by_chance for each in found])
    assert np.mean([each.ece.value for each in found]) == pytest.approx(by_chance, rel=0.15)
    assert measured(*drawn(2000, slope=0.4)).ece.value > 4 * by_chance


def test_intervals_cover_the_error_about_as_often_as_they_say() -> None:
    """Percentiles would nearly never: the noise of a resample adds to that of the sample."""
    _, stated = drawn(200_000)
    edges = np.quantile(stated, np.linspace(0, 1, 16)[1:-1])
    logits = np.log(stated / (1 - stated))
    gaps = stated - 1 / (1 + np.exp(-0.8 * logits))
    true = np.abs(np.bincount(np.digitize(stated, edges), gaps)).sum() / len(stated)
    covered = [measured(*drawn(1000, slope=0.8, seed=seed)).ece.holds(true) for seed in range(60)]
    assert 0.8 <= np.mean(covered) <= 1


def test_draws_that_are_too_high_are_mirrored_at_the_value() -> None:
    draws = np.linspace(0.2, 0.4, 1001)
    found = reflected(0.25, draws)
    assert (found.low, found.value, found.high) == pytest.approx((0.105, 0.25, 0.295))
    assert reflected(0.1, draws) == Interval(value=0.1, low=0.0, high=0.1)
    assert reflected(0.5, draws).low == 0.5


def test_the_interval_holds_the_value_and_stays_above_zero() -> None:
    for seed in range(30):
        found = measured(*drawn(60, seed=seed), resamples=50).ece
        assert 0 <= found.low <= found.value <= found.high


def test_the_seed_alone_moves_the_intervals() -> None:
    rows = drawn(300)
    first, again, other = (measured(*rows, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.ece.value == other.ece.value
    assert first.brier.low != other.brier.low


def test_no_rows_leave_everything_undefined_with_a_reason() -> None:
    found = measured(np.array([], int), [], reason="rules decided every row")
    assert found.brier.reason == found.ece.reason == "rules decided every row"
    assert (found.rows, found.bins, found.ece_by_chance) == (0, (), None)
    assert list(found.lines()) == ["brier      undefined", "ece        undefined"]


def test_lines_tell_both_scores_and_what_chance_would_show() -> None:
    found = measured(*drawn(300))
    assert list(found.lines()) == [
        f"brier      {found.brier}",
        f"ece        {found.ece}; {found.ece_by_chance:.4f} by chance alone",
    ]
