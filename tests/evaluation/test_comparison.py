import numpy as np
import pytest

from assay.estimators import OperatingPoint, Sample, measure_threshold
from assay.evaluation import compare_thresholds
from assay.exceptions import ConfigError
from tests.evaluation.made_up import random_sample

LABELS = ("ham", "spam")
# Ten rows: truth, probability of spam, and the label that a rule decided.
ROWS = [
    *[(0, 0.1, -1), (0, 0.2, -1), (0, 0.46, -1), (0, 0.48, -1), (0, 0.9, 0)],
    *[(1, 0.47, -1), (1, 0.49, -1), (1, 0.3, 1), (1, 0.8, -1), (1, 0.4, -1)],
]
TRUTH, SCORES, RULED = (np.array(column) for column in zip(*ROWS, strict=True))
SAMPLE = Sample(TRUTH, np.column_stack([1 - SCORES, SCORES]), RULED)


def test_both_thresholds_are_counted_over_the_whole_cascade() -> None:
    found = compare_thresholds(SAMPLE, LABELS, "spam", 0.45, 0.5)
    counts = [
        (side.true_positives, side.false_positives, side.false_negatives, side.true_negatives)
        for side in (found.low, found.high)
    ]
    # A rule gives the row at 0.9 to ham and that at 0.3 to spam, whatever the threshold.
    assert counts == [(4, 2, 1, 3), (2, 0, 3, 5)]


@pytest.mark.parametrize("count", [2, 3])
def test_a_threshold_does_what_the_table_says(count: int) -> None:
    sample, labels = random_sample(300, count), ("a", "b", "c")[:count]
    threshold = 0.5 if count == 2 else None
    thresholds = {} if count == 2 else {"a": 0.2, "b": 0.3, "c": 0.5}
    point = OperatingPoint(threshold=threshold, goal="fixed", thresholds=thresholds)
    found = compare_thresholds(sample, labels, "b", 0.3, 0.6, point=point)
    for side in (found.low, found.high):
        assert side == measure_threshold(sample, point, labels, "b", "b", side.threshold)


def test_labels_are_alike_where_no_point_says_otherwise() -> None:
    labels, sample = ("a", "b", "c"), random_sample(200, 3)
    found = compare_thresholds(sample, labels, "c", 0.4, 0.5)
    given = sample.probabilities.argmax(axis=1) == 2
    assert found.high.given == given.sum()


def test_the_order_of_the_thresholds_does_not_matter() -> None:
    assert compare_thresholds(SAMPLE, LABELS, "spam", 0.5, 0.45) == compare_thresholds(
        SAMPLE, LABELS, "spam", 0.45, 0.5
    )


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.5, float("nan")])
def test_a_threshold_that_cannot_be_compared_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"is over 0 and at most 1, as in"):
        compare_thresholds(SAMPLE, LABELS, "spam", threshold, 0.5)


def test_the_threshold_that_only_certainty_reaches_is_compared_between_two_labels() -> None:
    found = compare_thresholds(SAMPLE, LABELS, "spam", 0.5, 1.0)
    point = OperatingPoint(threshold=1.0, goal="fixed")
    assert found.high == measure_threshold(SAMPLE, point, LABELS, "spam", "spam", 1.0)
    with pytest.raises(ConfigError, match=r"is over 0 and under 1, as in .*got 1\.0"):
        compare_thresholds(random_sample(9, 3), ("a", "b", "c"), "b", 0.5, 1.0)


def test_the_paired_test_is_that_of_the_rows_that_change() -> None:
    paired = compare_thresholds(SAMPLE, LABELS, "spam", 0.45, 0.5).paired
    assert (paired.first_only, paired.second_only, paired.p_value) == (2, 2, 1.0)
    assert paired.f1.first == pytest.approx(4 / 7)
    assert paired.f1.second == pytest.approx(8 / 11)


def test_lines_show_both_sides_and_say_what_changes_for_a_team() -> None:
    lines = compare_thresholds(SAMPLE, LABELS, "spam", 0.45, 0.5, 1000, 3).lines()
    assert lines[:12] == [
        "'spam' on 10 rows, 1,000 texts a day",
        "                      at 0.45  at 0.5",
        "  caught                    4       2",
        "  false alarms              2       0",
        "  missed                    1       3",
        "  rightly left alone        3       5",
        "  precision            0.6667  1.0000",
        "  recall               0.8000  0.4000",
        "  F1                   0.7273  0.5714",
        "  accuracy             0.7000  0.7000",
        "  alerts a day            600     200",
        "  hours a day            30.0    10.0",
    ]
    assert lines[12:14] == [
        "Lowering the threshold from 0.5 to 0.45 catches 2 more 'spam' (of 3 missed) and raises 2 more "
        "false alarms.",
        "A day of 1,000 texts like these: 200 more caught, 200 more false alarms. At 3 minutes an alert, "
        "analysts spend 30.0 hours a day instead of 10.0; each further catch costs 2 alerts, 6.0 minutes.",
    ]
    assert lines[14].startswith("Rows on which only one of the two is right: 4; it is 0.5 on 2 and 0.45")
    assert lines[15].startswith("From 0.5 to 0.45, F1 changes by +0.1558 (")


def test_small_numbers_keep_a_decimal() -> None:
    words = compare_thresholds(SAMPLE, LABELS, "spam", 0.45, 0.5, 12, 1).lines()[13]
    assert "12 texts like these: 2.4 more caught, 2.4 more false alarms. At 1 minute an alert" in words


def test_false_alarms_alone_are_no_gain() -> None:
    lines = compare_thresholds(SAMPLE, LABELS, "spam", 0.15, 0.3).lines()
    assert lines[12].endswith("catches 0 more 'spam' (of 0 missed) and raises 1 more false alarm.")
    assert lines[13].endswith("; nothing more is caught for it.")


def test_thresholds_that_decide_alike_say_so() -> None:
    lines = compare_thresholds(SAMPLE, LABELS, "spam", 0.5, 0.6).lines()
    assert lines[12:] == [
        "Lowering the threshold from 0.6 to 0.5 changes no decision on these rows.",
        "0.6 and 0.5 are right on the same 7 of 10 rows.",
    ]


def test_no_rows_leave_every_share_undefined() -> None:
    none = Sample(np.array([], int), np.zeros((0, 2)), np.array([], int))
    found = compare_thresholds(none, LABELS, "spam", 0.45, 0.5)
    assert found.a_day(0) == 0.0
    assert "  precision           undefined  undefined" in found.lines()


def test_one_threshold_is_not_compared_with_itself() -> None:
    with pytest.raises(ConfigError, match=r"got 0\.5 twice"):
        compare_thresholds(SAMPLE, LABELS, "spam", 0.5, 0.5)
