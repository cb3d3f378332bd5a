"""Where no threshold can be chosen it is said why, and what the best is that can be had."""

import numpy as np
import pytest

from assay.estimators.thresholds import Sample, choose_operating_point
from assay.exceptions import DataError, GoalError
from tests.estimators.held_out import (
    CAUGHT,
    LABELS,
    binary,
    chosen,
    config,
    sample_of,
)


@pytest.mark.parametrize(
    ("goal", "sample", "best", "told"),
    [
        (
            "precision >= 0.99",
            binary([0.9, 0.8, 0.7, 0.2], [0, 1, 1, 0]),
            2 / 3,
            r"the best is 0.6667 at threshold 0.45 \(recall 1; 2 of 3 alerts right, 2 of 2 found\)\. State",
        ),
        (
            "recall >= 0.9",
            binary([0.0, 0.9, 0.5], [1, 1, 0]),
            0.5,
            r"the best is 0.5 at threshold 0.25 \(precision 0.5; 1 of 2 alerts right, 1 of 2 found\)\. State",
        ),
        (
            "alerts <= 40 of 5000 a day",
            binary([0.9, 0.9, 0.2, 0.1], [1, 0, 0, 0]),
            0.5,
            r"the fewest that find anything are 2 of 4 held-out rows, 2500 of 5000, at threshold 0.55 "
            r"\(1 of 2 alerts right, 1 of 1 found\)\. State",
        ),
        ("precision >= 0.5", binary([0.0, 0.9], [1, 0]), None, r"no threshold finds a row of 'spam'\. State"),
        (
            "precision >= 0.9",
            binary([0.9, 0.2, 0.1], [1, 0, 0], [-1, 1, -1]),
            0.5,
            r"The rules alone rule it out, whatever the model says: they give the label to 1 rows, "
            r"1 of which do not have it, and withhold it from 0 of the 1 that do\.",
        ),
        (
            "recall >= 0.9",
            binary([0.9, 0.8, 0.1], [1, 1, 0], [0, -1, -1]),
            0.5,
            "withhold it from 1 of the 2",
        ),
        ("precision >= 0.9", binary([0.9, 0.1], [1, 0], [0, -1]), None, "withhold it from 1 of the 1"),
        (
            "alerts <= 1 of 3 a day",
            binary([0.9, 0.8, 0.1], [1, 1, 0], [1, 1, -1]),
            2 / 3,
            "they give the label to 2 rows, 0 of which",
        ),
    ],
)
def test_a_goal_out_of_reach_says_the_best_that_can_be_had(
    goal: str, sample: Sample, best: float | None, told: str
) -> None:
    with pytest.raises(GoalError, match=f"^{goal} is not reached by any threshold; .*{told}") as caught:
        chosen(goal, sample)
    assert caught.value.data["goal"] == goal
    assert caught.value.data["best"] == (None if best is None else pytest.approx(best))


def test_a_goal_of_many_labels_out_of_reach_names_the_margin() -> None:
    sample = sample_of([0, 1, 2], [[1, 8, 1], [4, 5, 1], [1, 1, 8]])
    with pytest.raises(GoalError, match=r"the best is 0.5 at threshold 0.3333 \(recall 1;"):
        chosen("precision >= 0.9", sample, 3)


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf, -0.1, 1.5])
@pytest.mark.parametrize("goal", ["fixed", "max f1", "recall >= 0.5"])
def test_a_score_that_is_no_probability_is_named(goal: str, strange: float, labels: int) -> None:
    sample = sample_of([0, 1, 2][:labels] * 3, [[1, 2, 3][:labels]] * labels * 3)
    sample.probabilities[4, 1] = strange
    with pytest.raises(DataError, match=r"scores of row 4 are .*finite probabilities") as caught:
        chosen(goal, sample, labels)
    assert caught.value.data["row"] == 4


@pytest.mark.parametrize("goal", ["fixed", "max f1", "precision >= 0.5"])
@pytest.mark.parametrize(
    ("truth", "told"), [([0, 0, 0], "no row holds 'spam'"), ([1, 1, 1], "every row holds 'spam'")]
)
def test_one_class_only_is_nothing_to_choose_on(goal: str, truth: list[int], told: str) -> None:
    with pytest.raises(DataError, match=f"3 held-out rows of which {told}"):
        chosen(goal, binary([0.1, 0.5, 0.9], truth))


def test_the_mean_f1_wants_rows_of_every_label_and_a_goal_of_one_label_its_own() -> None:
    sample = sample_of([0, 1, 0], [[5, 3, 2], [1, 7, 2], [4, 5, 1]])
    with pytest.raises(DataError, match="no row holds 'film'"):
        choose_operating_point(config("max f1"), LABELS[:3], "spam", sample)
    assert chosen("recall >= 0.9", sample, 3)[0].thresholds.keys() == set(LABELS[:3])


def test_an_empty_sample_is_nothing_to_choose_on() -> None:
    with pytest.raises(DataError, match="no held-out row"):
        chosen("max f1", Sample(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0, int)))


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (CAUGHT._replace(probabilities=np.zeros((6, 3))), r"6 rows and 2 labels has .*\(6, 3\)"),
        (CAUGHT._replace(ruled=np.zeros(5, int)), r"rules' labels of the shape \(5,\)"),
        (
            CAUGHT._replace(truth=np.array([0, 1, 0, 1, 2, 0])),
            "Row 4 of the sample has 2 for truth; it may be 0 to 1",
        ),
        (CAUGHT._replace(ruled=np.array([0, -2, 0, 1, 0, 0])), "Row 1 of the sample has -2 for ruled"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(sample: Sample, told: str) -> None:
    with pytest.raises(DataError, match=told):
        chosen("max f1", sample)
