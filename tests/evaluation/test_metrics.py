import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from assay.evaluation import metrics

NAMES = ("precision", "recall", "f1")


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Truth and decisions over up to five labels, some of them often absent."""
    labels = draw(st.integers(2, 5))
    rows = draw(st.integers(1, 60))
    used = st.sampled_from(draw(st.lists(st.integers(0, labels - 1), min_size=1, max_size=labels)))
    truth, decided = (draw(st.lists(used, min_size=rows, max_size=rows)) for _ in range(2))
    return np.array(truth), np.array(decided), labels


@given(outcomes())
def test_metrics_equal_scikit_learn(outcome: tuple[np.ndarray, np.ndarray, int]) -> None:
    truth, decided, labels = outcome
    cells = metrics.confusion_cells(truth, decided, labels)
    numbers = list(range(labels))
    assert (cells == confusion_matrix(truth, decided, labels=numbers)).all()
    assert metrics.accuracy(cells) == pytest.approx(accuracy_score(truth, decided), abs=1e-12)
    for average, shape in ((None, lambda values: values), ("macro", metrics.macro)):
        expected = precision_recall_fscore_support(
            truth, decided, labels=numbers, average=average, zero_division=np.nan
        )
        for name, values in zip(NAMES, expected, strict=False):
            found = shape(getattr(metrics, name)(cells))
            np.testing.assert_allclose(found, values, rtol=0, atol=1e-12, err_msg=f"{average} {name}")


@given(st.lists(st.floats(0, 1) | st.just(np.nan), min_size=1), st.randoms())
@example([0.1, 0.2, 0.3], random.Random(2))
def test_macro_does_not_depend_on_the_order_of_labels(values: list[float], order: random.Random) -> None:
    shuffled = order.sample(values, len(values))
    means = [metrics.macro(np.array(listed)) for listed in (values, values[::-1], shuffled)]
    assert np.array_equal(means, means[:1] * 3, equal_nan=True)


def test_ratios_without_rows_are_undefined_not_zero() -> None:
    cells = np.array([[3, 0], [0, 0]])
    assert metrics.precision(cells)[0] == 1
    assert np.isnan([metrics.precision(cells)[1], metrics.recall(cells)[1], metrics.f1(cells)[1]]).all()
    assert np.isnan(metrics.accuracy(np.zeros((2, 2), dtype=int)))


def test_f1_of_a_label_never_found_is_zero() -> None:
    assert metrics.f1(np.array([[3, 0], [2, 0]]))[1] == 0


def test_leading_axes_are_resamples() -> None:
    one, other = np.array([[5, 1], [2, 4]]), np.array([[1, 0], [3, 2]])
    for name in (*NAMES, "accuracy"):
        metric = getattr(metrics, name)
        np.testing.assert_array_equal(metric(np.stack([one, other])), [metric(one), metric(other)])
