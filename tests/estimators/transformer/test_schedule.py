"""Batches and rates are functions of the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators.transformer.schedule import POOL, batches_of_epoch, draw_rows, rate_at


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=400),
    st.integers(1, 40),
    st.integers(0, 9),
    st.integers(1, 5),
)
def test_every_row_is_in_one_batch(lengths: list[int], size: int, seed: int, epoch: int) -> None:
    batches = batches_of_epoch(lengths, batch_size=size, seed=seed, epoch=epoch)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in batches)
    assert batches == batches_of_epoch(lengths, batch_size=size, seed=seed, epoch=epoch)


def test_rows_of_a_batch_are_about_equally_long_and_epochs_differ() -> None:
    lengths = np.random.default_rng(0).integers(10, 256, POOL * 8).tolist()
    first, second = (batches_of_epoch(lengths, batch_size=8, seed=0, epoch=epoch) for epoch in (1, 2))
    padding = sum(max(lengths[row] for row in batch) * len(batch) for batch in first) - sum(lengths)
    assert padding < 0.05 * sum(lengths)
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}
    middles = [lengths[batch[0]] for batch in first]
    assert middles != sorted(middles)


def test_the_rate_rises_over_the_warm_up_and_falls_to_nearly_nothing() -> None:
    rates = [rate_at(batch, 100, highest=2.0, warmup=0.1) for batch in range(100)]
    assert max(rates) == rates[9] == 2.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.03
    assert rate_at(0, 1, highest=2.0, warmup=0.0) == 2.0


def test_fewer_rows_keep_the_share_of_each_label() -> None:
    truth = np.array([0] * 80 + [1] * 20)
    kept = draw_rows(truth, 50, seed=3)
    assert np.bincount(truth[kept]).tolist() == [40, 10]
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert kept.tolist() == draw_rows(truth, 50, seed=3).tolist() != draw_rows(truth, 50, seed=4).tolist()


@pytest.mark.parametrize("most", [None, 100, 200])
def test_all_rows_are_used_where_there_are_no_more(most: int | None) -> None:
    assert draw_rows(np.zeros(100, np.int64), most, seed=0).tolist() == list(range(100))
