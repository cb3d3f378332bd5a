"""What eight bits cost: counted on the same rows, each network at its own operating point."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from assay.estimators import QuantizationCost
from assay.estimators.transformer.quantization_cost import Answers, measure_quantization
from assay.exceptions import ArtifactError

TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
LABELS = ("ham", "spam")


def answers(given: list[int], scores: list[float], size: int) -> Answers:
    """Return decisions and scores of spam."""
    spam = np.array(scores)
    return Answers(np.array(given), np.stack([1 - spam, spam], axis=1), size)


FP32 = answers([1, 1, 1, 0, 0, 0, 0, 0, 0, 1], [0.9, 0.9, 0.8, 0.4, 0.1, 0.1, 0.2, 0.3, 0.1, 0.6], 4_000_000)
INT8 = answers([1, 1, 0, 0, 0, 0, 0, 0, 0, 1], [0.9, 0.9, 0.5, 0.4, 0.1, 0.1, 0.2, 0.4, 0.1, 0.6], 1_500_000)


def cost(**changes: Any) -> QuantizationCost:
    """Return what the ten rows cost."""
    found = measure_quantization(TRUTH, FP32, INT8, labels=LABELS, positive="spam")
    return QuantizationCost.model_validate(found.model_dump() | changes)


def test_metrics_of_both_flips_and_moved_probabilities_are_counted() -> None:
    found = cost()
    assert (found.rows, found.flips, found.flipped) == (10, 1, 0.1)
    assert (found.fp32.f1, found.int8.f1) == (pytest.approx(6 / 8), pytest.approx(4 / 7))
    assert (found.fp32.accuracy, found.int8.accuracy) == (0.8, 0.7)
    assert found.mean_difference == pytest.approx(0.04)
    assert found.largest_difference == pytest.approx(0.3)
    assert (found.fp32.size_mb, found.int8.size_mb) == (4.0, 1.5)


def test_f1_is_that_of_the_positive_label() -> None:
    found = measure_quantization(TRUTH, FP32, INT8, labels=LABELS, positive="ham")
    assert found.fp32.f1 == pytest.approx(10 / 12)


def test_with_more_labels_f1_is_their_mean() -> None:
    truth, even = np.array([0, 1, 2, 2]), np.full((4, 3), 1 / 3)
    found = measure_quantization(
        truth,
        Answers(truth, even, 2),
        Answers(np.array([0, 0, 2, 2]), even, 1),
        labels=("a", "b", "c"),
        positive="a",
    )
    assert (found.fp32.f1, found.int8.f1) == (1.0, pytest.approx((2 / 3 + 0 + 1) / 3))
    assert (found.mean_difference, found.largest_difference) == (0.0, 0.0)


def test_without_rows_there_is_nothing_to_measure() -> None:
    none = answers([], [], 1)
    with pytest.raises(ValueError, match="no rows"):
        measure_quantization(np.array([], np.int64), none, none, labels=LABELS, positive="spam")


def test_a_cost_survives_json() -> None:
    assert QuantizationCost.from_json(cost().to_json()) == cost()


@pytest.mark.parametrize("text", ["", "{}", '{"rows": 3}'])
def test_a_damaged_file_is_named(text: str) -> None:
    with pytest.raises(ArtifactError, match=r"m/quantization\.json is damaged"):
        QuantizationCost.from_json(text, source="m/quantization.json")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"flips": 11}, "11 of 10 rows"), ({"mean_difference": 0.5}, "cannot be above the largest")],
)
def test_counts_that_contradict_each_other_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        cost(**changes)


def test_people_read_one_line() -> None:
    [line] = cost().lines()
    assert line == (
        "int8 on 10 validation rows: F1 0.5714 (fp32 0.7500), accuracy 0.7000 (0.8000), 1 decisions differ, "
        "probabilities by 0.0400 in the mean and 0.3000 at most; 1.5 MB instead of 4.0"
    )
