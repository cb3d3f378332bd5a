"""Since when: the block at which counts changed, and its range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.telemetry.drift.since import find_change


def drawn(rng: np.random.Generator, blocks: int, at: int, *laws: list[float]) -> np.ndarray:
    """Return blocks of 50 decisions each, by the first law before block ``at`` and by the last from it on."""
    return np.array([rng.multinomial(50, laws[0] if block < at else laws[-1]) for block in range(blocks)])


def test_the_range_holds_the_change_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(1), 0
    for _ in range(150):
        at = int(rng.integers(10, 50))
        change = find_change(drawn(rng, 60, at, [0.85, 0.15], [0.7, 0.3]))
        assert change is not None
        assert change.low <= change.at <= change.high
        held += change.low <= at <= change.high
    assert held >= 0.93 * 150


def test_where_nothing_changes_a_change_is_rarely_sure() -> None:
    rng = np.random.default_rng(2)
    found = [find_change(drawn(rng, 96, 0, [0.5, 0.3, 0.1, 0.1])) for _ in range(200)]
    assert sum(change is not None and change.p < 0.05 for change in found) <= 0.05 * 200


@pytest.mark.parametrize("counts", [[[5, 5]], [[3, 0], [9, 0]], [[0, 0], [0, 0]]])
def test_what_cannot_be_split_is_not(counts: list[list[int]]) -> None:
    assert find_change(np.array(counts)) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=2, max_size=30))
def test_a_change_lies_inside_and_its_p_is_one(counts: list[list[int]]) -> None:
    change = find_change(np.array(counts))
    if change is not None:
        assert 1 <= change.low <= change.at <= change.high < len(counts)
        assert 0 <= change.p <= 1


def test_empty_blocks_change_nothing() -> None:
    change = find_change(np.array([[40, 10], [0, 0], [38, 12], [0, 0], [10, 40], [12, 38]]))
    assert change is not None
    assert change.at in (3, 4)
