from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from assay.evaluation import paired
from assay.evaluation.metrics import confusion_cells, f1
from assay.evaluation.paired import Difference, compare_cells, compare_decisions, mcnemar

TRUTH = np.repeat([0, 1], [700, 300])


def decisions(wrong: float, seed: int, labels: int = 2) -> np.ndarray:
    """Return decisions on the rows of ``TRUTH`` of which a share was drawn at random."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(len(TRUTH)) < wrong
    return np.where(drawn, rng.integers(0, labels, len(TRUTH)), TRUTH)


FIRST, SECOND = decisions(0.3, 1), decisions(0.1, 2)


@pytest.mark.parametrize(("positive", "average"), [(1, "binary"), (None, "macro")])
def test_both_sides_and_their_difference_are_those_of_scikit_learn(positive, average) -> None:
    found = compare_decisions(TRUTH, FIRST, SECOND, labels=2, positive=positive)
    scores = {
        "accuracy": accuracy_score,
        "precision": partial(precision_score, average=average),
        "recall": partial(recall_score, average=average),
        "f1": partial(f1_score, average=average),
    }
    for metric, score in scores.items():
        difference: Difference = getattr(found, metric)
        sides = [score(TRUTH, side) for side in (FIRST, SECOND)]
        assert (difference.first, difference.second) == pytest.approx(sides, abs=1e-12)
        assert difference.change.value == pytest.approx(sides[1] - sides[0], abs=1e-12)


def test_rows_are_counted_by_which_side_is_right() -> None:
    found = compare_decisions(TRUTH, FIRST, SECOND, labels=2)
    assert found.rows == 1000
    assert found.first_only == ((FIRST == TRUTH) & (SECOND != TRUTH)).sum()
    assert found.second_only == ((FIRST != TRUTH) & (SECOND == TRUTH)).sum()
    assert found.both_right == ((FIRST == TRUTH) & (SECOND == TRUTH)).sum()
    assert found.both_wrong == ((FIRST != TRUTH) & (SECOND != TRUTH)).sum()


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # A fair coin: 2 / 2^6 for six of six; 2 (1 + 10) / 2^10 for nine of ten.
    [(0, 6, 2 / 64), (6, 0, 2 / 64), (1, 9, 22 / 1024), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_the_test_of_mcnemar_is_that_of_a_fair_coin(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p, abs=1e-12)


def test_the_interval_is_that_of_resampled_rows() -> None:
    """The multinomial law of the joint cells is the paired row bootstrap, without rows."""
    found = compare_decisions(TRUTH, FIRST, SECOND, labels=2, positive=1, resamples=2000)
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(1000):
        rows = rng.integers(0, len(TRUTH), len(TRUTH))
        sides = (confusion_cells(TRUTH[rows], side[rows], 2) for side in (FIRST, SECOND))
        first, second = (f1(cells)[1] for cells in sides)
        draws.append(second - first)
    low, high = np.percentile(draws, (2.5, 97.5))
    assert (found.f1.change.low, found.f1.change.high) == pytest.approx((low, high), abs=0.01)


def test_pairing_narrows_the_interval_of_sides_that_share_their_mistakes() -> None:
    other = FIRST.copy()
    other[:5] = 1 - other[:5]
    alike = compare_decisions(TRUTH, FIRST, other, labels=2).accuracy.change
    apart = compare_decisions(TRUTH, FIRST, decisions(0.3, 9), labels=2).accuracy.change
    assert alike.high - alike.low < (apart.high - apart.low) / 4


@given(st.lists(st.integers(0, 9), min_size=27, max_size=27))
def test_cells_and_rows_give_the_same_answer(counts: list[int]) -> None:
    cells = np.array(counts).reshape(3, 3, 3)
    rows = np.repeat(np.indices(cells.shape).reshape(3, -1), cells.ravel(), axis=1)
    assert compare_cells(cells, positive=2, resamples=5) == compare_decisions(
        *rows, labels=3, positive=2, resamples=5
    )


def test_swapping_the_sides_turns_the_difference_around() -> None:
    found = compare_decisions(TRUTH, FIRST, SECOND, labels=2)
    turned = compare_decisions(TRUTH, SECOND, FIRST, labels=2)
    assert turned.p_value == found.p_value
    assert turned.f1.change.value == -found.f1.change.value
    assert (turned.first_only, turned.second_only) == (found.second_only, found.first_only)


def test_many_labels_are_drawn_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [decisions(0.3, seed, labels=9) for seed in (1, 2)]
    whole = compare_decisions(TRUTH, *sides, labels=9, resamples=30)
    monkeypatch.setattr(paired, "CHUNK_COUNTS", 100)
    assert compare_decisions(TRUTH, *sides, labels=9, resamples=30) == whole


def test_no_rows_leave_the_difference_undefined() -> None:
    none = np.array([], dtype=np.int64)
    found = compare_decisions(none, none, none, labels=2, positive=1)
    assert (found.rows, found.p_value) == (0, 1.0)
    assert found.accuracy.change.reason == found.f1.change.reason == "there are no rows"
    assert found.f1.first is None


def test_lines_say_who_is_right_where_and_whether_chance_could_do_it() -> None:
    lines = compare_decisions(TRUTH, FIRST, SECOND, labels=2).lines("rules", "model")
    assert "it is rules on 22 and model on 142: chance would seldom do that (McNemar's" in lines[0]
    assert lines[1].startswith("From rules to model, F1 changes by +0.1")
    same = compare_decisions(TRUTH, FIRST, FIRST, labels=2).lines("a", "b")
    assert same == [f"a and b are right on the same {(FIRST == TRUTH).sum()} of 1,000 rows."]


def test_lines_of_a_small_difference_leave_it_to_chance() -> None:
    other = FIRST.copy()
    other[0] = 1 - other[0]
    assert "chance alone may do that" in compare_decisions(TRUTH, FIRST, other, labels=2).lines("a", "b")[0]


def test_lines_of_an_undefined_f1_say_so() -> None:
    truth = np.zeros(3, dtype=np.int64)
    lines = compare_decisions(truth, truth, np.array([0, 0, 1]), labels=2, positive=1).lines("a", "b")
    assert "F1 changes by an undefined amount" in lines[1]
