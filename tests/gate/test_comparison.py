from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from assay.config import Compared, GatePolicy
from assay.evaluation import ChosenPoint, Difference, Interval, PairedComparison, Report, compare_decisions
from assay.gate import Check, decide_gate
from assay.gate.comparison import check_comparison, check_flips, not_lower
from assay.gate.pairing import Pair
from tests.gate.reports import given, report_on

ALL: tuple[Compared, ...] = ("f1", "accuracy", "precision", "recall")
numbers = st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=60)


def side_by_side(ours: float, theirs: float, low: float, high: float, p: float = 0.01) -> PairedComparison:
    """Return a comparison in which every metric is the same."""
    change = Interval(value=ours - theirs, low=low, high=high)
    same = Difference(first=theirs, second=ours, change=change)
    return PairedComparison(
        rows=100, both_right=80, first_only=10, second_only=5, both_wrong=5, p_value=p,
        accuracy=same, precision=same, recall=same, f1=same,
    )  # fmt: skip


def brute(metric: Compared, truth: np.ndarray, decided: np.ndarray) -> Fraction | None:
    """Return a metric of the label 1 without rounding."""
    hits = int((truth & decided).sum())
    part, whole = {
        "accuracy": (int((truth == decided).sum()), len(truth)),
        "precision": (hits, int(decided.sum())),
        "recall": (hits, int(truth.sum())),
        "f1": (2 * hits, int(truth.sum() + decided.sum())),
    }[metric]
    return Fraction(part, whole) if whole else None


@settings(max_examples=60)
@drawn(numbers)
def test_point_compares_what_the_rows_say_without_rounding(rows: list[tuple[int, int, int]]) -> None:
    truth, theirs, ours = np.array(rows).T
    found = compare_decisions(truth, theirs, ours, labels=2, positive=1, resamples=2)
    for metric in ALL:
        sides = [brute(metric, truth, side) for side in (ours, theirs)]
        expected = None if None in sides else sides[0] >= sides[1]
        assert not_lower(GatePolicy(), metric, found) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "slack", "passed"),
    [
        (0.06, 0.07, 0.01, True),  # in floats 0.06 + 0.01 is below 0.07
        (0.03, 0.05, 0.02, True),  # and 0.05 - 0.02 above 0.03
        (0.9399999999999998, 0.95, 0.01, False),
        (0.95, 0.95, 0.0, True),
        (0.9499999999999999, 0.95, 0.0, False),
        (0.96, 0.95, 0.0, True),
    ],
)
def test_point_compares_the_decimals_that_people_read(
    ours: float, theirs: float, slack: float, passed: bool
) -> None:
    found = side_by_side(ours, theirs, -1, 1)
    assert not_lower(GatePolicy(max_regression=slack), "f1", found) is passed


@pytest.mark.parametrize("rows", [300, 700, 25_000])
@pytest.mark.parametrize("slack", [0.01, 0.02])
def test_point_counts_the_rows_that_may_be_lost(rows: int, slack: float) -> None:
    policy, lost = GatePolicy(max_regression=slack), round(slack * rows)
    for wrong in range(1, rows // 3, 1 + rows // 100):
        truth, theirs, ours = (np.ones(rows, int) for _ in range(3))
        theirs[:wrong] = ours[: wrong + lost] = 0
        found = compare_decisions(truth, theirs, ours, labels=2, positive=1, resamples=2)
        assert not_lower(policy, "accuracy", found), (wrong, found.accuracy)
        ours[-1] = 0
        found = compare_decisions(truth, theirs, ours, labels=2, positive=1, resamples=2)
        assert not_lower(policy, "accuracy", found) is False


@pytest.mark.parametrize(
    ("low", "high", "slack", "passed"),
    [
        (-0.05, -0.001, 0.0, False),
        (-0.05, 0.0, 0.0, True),
        (-0.05, 0.01, 0.0, True),
        (-0.05, -0.001, 0.01, True),
        (-0.05, -0.011, 0.01, False),
        (-0.05, -0.01, 0.01, True),
    ],
)
def test_significant_blocks_only_where_the_whole_interval_is_lower(
    low: float, high: float, slack: float, passed: bool
) -> None:
    policy = GatePolicy(regression="significant", max_regression=slack)
    assert not_lower(policy, "f1", side_by_side(0.92, 0.95, low, high)) is passed


@pytest.mark.parametrize(("p", "passed"), [(0.049, False), (0.05, True), (0.9, True)])
def test_significant_blocks_by_accuracy_only_where_the_test_agrees(p: float, passed: bool) -> None:
    policy, found = GatePolicy(regression="significant"), side_by_side(0.92, 0.95, -0.05, -0.01, p)
    assert not_lower(policy, "accuracy", found) is passed
    assert not_lower(policy, "f1", found) is False


def test_significant_never_blocks_what_is_higher() -> None:
    policy = GatePolicy(regression="significant")
    assert not_lower(policy, "f1", side_by_side(0.95, 0.92, -0.05, -0.01)) is True


def test_significant_goes_by_the_point_where_there_is_no_interval() -> None:
    change = Interval(value=-0.03)
    found = side_by_side(0.92, 0.95, -1, 1)
    found = found.model_copy(update={"f1": Difference(first=0.95, second=0.92, change=change)})
    assert not_lower(GatePolicy(regression="significant"), "f1", found) is False


@pytest.mark.parametrize("rule", ["point", "significant"])
def test_a_clear_fall_blocks_and_the_same_rise_passes(rule: str) -> None:
    better, worse = report_on(*given(90, 10, 5, 95)), report_on(*given(60, 40, 5, 95))
    policy = GatePolicy(min_f1=0, regression=rule)
    assert not decide_gate(policy, worse, better).passed
    assert decide_gate(policy, better, worse).passed


def test_a_small_fall_blocks_by_point_and_passes_as_chance() -> None:
    better, worse = report_on(*given(90, 10, 5, 95)), report_on(*given(89, 11, 5, 95))
    assert not decide_gate(GatePolicy(), worse, better).passed
    assert decide_gate(GatePolicy(regression="significant"), worse, better).passed
    assert decide_gate(GatePolicy(max_regression=0.01), worse, better).passed


def compared(ours: Report, theirs: Report, metric: Compared = "f1", **policy: Any) -> Check:
    """Return the check of one metric."""
    found = Pair.of(ours, theirs).compare()
    [check] = check_comparison(GatePolicy(compared=(metric,), **policy), ours, theirs, found)
    return check


BETTER, WORSE = report_on(*given(90, 10, 5, 95), version="6"), report_on(*given(80, 20, 5, 95))


def test_a_sentence_tells_both_values_their_difference_and_how_sure_it_is() -> None:
    check = compared(WORSE, BETTER)
    ours, theirs = (report.metrics["f1"].value for report in (WORSE, BETTER))
    assert (check.observed, check.required) == (ours, theirs)
    change = Pair.of(WORSE, BETTER).compare().f1.change
    assert check.sentence == (
        "F1 of 'spam' is 0.8649, lower than the 0.9231 of version 6 in production: -0.0582 (95 % paired "
        f"interval {change.low:+.4f} to {change.high:+.4f}; McNemar's p = 0.002). It may not be lower."
    )


def test_what_is_higher_says_so() -> None:
    check = compared(BETTER, WORSE, "recall")
    assert check.passed
    assert "Recall of 'spam' is 0.9000, higher than the 0.8000 of version 7 in production: +0.1000 (" in (
        check.sentence
    )
    assert check.sentence.endswith("McNemar's p = 0.002).")


def test_equal_decisions_have_no_difference_to_tell() -> None:
    check = compared(BETTER, BETTER, "accuracy")
    assert check.sentence == "Accuracy is 0.9250, equal to the 0.9250 of version 6 in production."


def test_a_sentence_says_why_a_lower_value_passes() -> None:
    within = compared(WORSE, BETTER, max_regression=0.1)
    assert within.passed
    assert within.sentence.endswith(" Up to 0.1 lower is allowed.")
    nearly = report_on(*given(89, 11, 5, 95))
    chance = compared(nearly, BETTER, regression="significant")
    assert chance.passed
    assert chance.sentence.endswith(" It is not lower by more than chance explains.")


def test_a_sentence_says_what_is_not_allowed() -> None:
    assert compared(WORSE, BETTER, max_regression=0.01).sentence.endswith(
        " It may not be more than 0.01 lower."
    )
    assert compared(WORSE, BETTER, regression="significant").sentence.endswith(
        " It may not be lower, and chance would seldom do that."
    )


@pytest.mark.parametrize(
    ("goal", "metric", "hinted"),
    [
        ("precision >= 0.99", "f1", True),
        ("cost miss=5 false_alarm=1", "accuracy", True),
        ("precision >= 0.99", "recall", False),
        ("max f1", "f1", False),
        ("fixed", "f1", False),
    ],
)
def test_a_task_with_another_goal_is_told_which_key_to_change(
    goal: str, metric: Compared, hinted: bool
) -> None:
    point = ChosenPoint(goal=goal, thresholds={})
    check = compared(WORSE.model_copy(update={"operating_point": point}), BETTER, metric)
    assert not check.passed
    assert check.sentence.endswith('gate.compared = ["precision", "recall"].') is hinted
    assert (f"The task's goal is {goal!r}" in check.sentence) is hinted


def test_an_undefined_metric_names_who_lacks_it() -> None:
    none, some = report_on(*given(0, 10, 0, 90)), report_on(*given(5, 5, 0, 90))
    ours = compared(none, some, "precision")
    assert (ours.passed, ours.observed) == (False, None)
    reason = none.metrics["precision"].reason
    assert ours.sentence == (
        f"Precision of 'spam' of the candidate is undefined ({reason}): nothing to compare."
    )
    theirs = compared(some, none, "precision")
    assert not theirs.passed
    assert "Precision of 'spam' of version 7 in production is undefined (" in theirs.sentence


def test_what_the_gate_compares_is_what_the_report_shows() -> None:
    for labels in (("ham", "spam"), ("a", "b", "c")):
        rng = np.random.default_rng(3)
        truth, side = rng.integers(0, len(labels), (2, 200)).tolist()
        report = report_on(truth, side, labels)
        found = Pair.of(report, report).compare()
        for metric in ALL:
            assert getattr(found, metric).second == report.metrics[metric].value


@pytest.mark.parametrize(("most", "passed"), [(0.05, True), (0.0499, False), (1.0, True), (0.0, False)])
def test_decisions_that_flip_are_limited(most: float, passed: bool) -> None:
    pair = Pair.of(WORSE, BETTER)
    [check] = check_flips(GatePolicy(max_flips=most), BETTER, pair)
    assert (check.observed, check.required, check.passed) == (0.05, most, passed)
    assert check.sentence.startswith("10 of 200 decisions (5 %) differ from those of version 6 in production")


def test_flips_are_not_checked_without_a_limit() -> None:
    assert list(check_flips(GatePolicy(), BETTER, Pair.of(WORSE, BETTER))) == []
