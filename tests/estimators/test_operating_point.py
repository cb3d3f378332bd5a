"""The operating point gives labels at its threshold, or the likeliest one."""

import numpy as np
import pytest
from pydantic import ValidationError

from assay.config import ThresholdConfig
from assay.estimators import OperatingPoint, choose_operating_point


def test_a_fixed_threshold_is_the_tasks() -> None:
    point = choose_operating_point(ThresholdConfig(value=0.3), binary=True)
    assert point == OperatingPoint(threshold=0.3, goal="fixed")


def test_more_than_two_labels_have_no_threshold() -> None:
    assert choose_operating_point(ThresholdConfig(value=0.3), binary=False).threshold is None


def test_the_likeliest_of_many_labels_is_given_and_the_first_of_equals() -> None:
    point = OperatingPoint(threshold=None, goal="fixed")
    rows = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    assert point.labels_of(rows, ["a", "b", "c"], "c") == ["b", "a"]


@pytest.mark.parametrize("positive", ["ham", "spam"])
def test_the_positive_label_is_given_from_the_threshold_on(positive: str) -> None:
    scores = np.array([0.7, np.nextafter(0.7, 0), np.nextafter(0.7, 1)])
    rows = np.column_stack([scores, 1 - scores] if positive == "ham" else [1 - scores, scores])
    other = {"ham": "spam", "spam": "ham"}[positive]
    given = OperatingPoint(threshold=0.7, goal="fixed").labels_of(rows, ["ham", "spam"], positive)
    assert given == [positive, other, positive]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_outside_the_unit_interval_is_refused(threshold: float) -> None:
    with pytest.raises(ValidationError, match="threshold"):
        OperatingPoint(threshold=threshold, goal="fixed")
