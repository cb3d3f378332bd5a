from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators.encoder import batches_of


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 5000))
def test_batches_hold_every_row_once_and_keep_to_the_budget(lengths: list[int], budget: int) -> None:
    batches = batches_of(lengths, budget=budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget
    flat = [lengths[row] for batch in batches for row in batch]
    assert flat == sorted(flat)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=60), st.integers(1, 5000))
def test_no_row_would_have_fitted_into_the_batch_before(lengths: list[int], budget: int) -> None:
    batches = batches_of(lengths, budget=budget)
    for before, after in pairwise(batches):
        assert (len(before) + 1) * lengths[after[0]] > budget


def test_a_budget_must_hold_a_token() -> None:
    with pytest.raises(ValueError, match="at least 1 token, not 0"):
        batches_of([1], budget=0)
