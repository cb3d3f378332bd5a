import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score

from assay.evaluation.ranking import Ranking

# A small grid of scores makes ties, a fine one makes none.
scores = st.one_of(st.integers(0, 4).map(lambda n: n / 4), st.floats(0, 1))


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Members, scores and how often each row was drawn; both sides have weight."""
    rows = draw(st.integers(2, 50))
    member = np.array([True, False, *draw(st.lists(st.booleans(), min_size=rows - 2, max_size=rows - 2))])
    given_scores = np.array(draw(st.lists(scores, min_size=rows, max_size=rows)))
    weights = draw(hnp.arrays(np.float64, rows, elements=st.integers(0, 3).map(float)))
    weights[:2] += 1
    return member, given_scores, weights


@given(rankings())
def test_areas_equal_scikit_learn(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    member, given_scores, _ = ranking
    roc_auc, average_precision = Ranking(member, given_scores).areas()
    assert roc_auc[0] == pytest.approx(roc_auc_score(member, given_scores), abs=1e-12)
    assert average_precision[0] == pytest.approx(average_precision_score(member, given_scores), abs=1e-12)


@given(rankings())
def test_weighted_areas_equal_scikit_learn(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    member, given_scores, weights = ranking
    both = np.stack([weights, np.ones(len(weights))])
    roc_auc, average_precision = Ranking(member, given_scores).areas(both)
    for row, weight in enumerate(both):
        known = {"y_true": member, "y_score": given_scores, "sample_weight": weight}
        assert roc_auc[row] == pytest.approx(roc_auc_score(**known), abs=1e-12)
        assert average_precision[row] == pytest.approx(average_precision_score(**known), abs=1e-12)


@given(rankings())
def test_weights_mean_what_repeated_rows_mean(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    member, given_scores, weights = ranking
    times = weights.astype(int)
    weighted = Ranking(member, given_scores).areas(weights[None])
    repeated = Ranking(member.repeat(times), given_scores.repeat(times)).areas()
    np.testing.assert_allclose(weighted, repeated, rtol=0, atol=1e-12)


@pytest.mark.parametrize("member", [[True, True], [False, False], []])
def test_areas_are_undefined_unless_both_sides_have_rows(member: list[bool]) -> None:
    ranking = Ranking(np.array(member, dtype=bool), np.linspace(0, 1, len(member)))
    assert np.isnan(ranking.areas()).all()


def test_rows_without_weight_count_for_nothing() -> None:
    ranking = Ranking(np.array([True, False, True]), np.array([0.9, 0.8, 0.1]))
    roc_auc, average_precision = ranking.areas(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    assert (roc_auc[0], average_precision[0]) == (1.0, 1.0)
    assert np.isnan([roc_auc[1], average_precision[1]]).all()


def test_counts_fall_together_on_equal_scores() -> None:
    found, false = Ranking(np.array([True, False, True]), np.array([0.5, 0.5, 0.2])).counts()
    assert (found.tolist(), false.tolist()) == ([[1, 2]], [[1, 1]])
