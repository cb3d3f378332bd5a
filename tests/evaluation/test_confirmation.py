from dataclasses import replace

import numpy as np
import pytest

from assay.config import parse_goal
from assay.estimators.thresholds import RuleMeasure
from assay.evaluation import Confirmation, Interval, LabelMetrics, Report
from assay.evaluation.confirmation import confirm, one_against_rest
from tests.evaluation.made_up import Tuned, random_report, random_sample, tables_for

LABELS = ("ham", "spam")
CONFUSION = np.array([[80, 10], [2, 28]])
UNKNOWN = Interval(value=None, reason="no row has the label 'spam'")


def of_label(value: float | None) -> LabelMetrics:
    """Return metrics of a label that all have a value, with a wide interval."""
    interval = UNKNOWN if value is None else Interval(value=value, low=value - 0.05, high=value + 0.05)
    values = dict.fromkeys(("precision", "recall", "f1", "roc_auc", "pr_auc"), interval)
    return LabelMetrics(**values, support=30)


def confirmed(goal: str, value: float | None = 0.9, *, confusion: np.ndarray = CONFUSION) -> Confirmation:
    """Return what becomes of a goal when the held-out precision, recall and F1 are of a value."""
    tables = tables_for(goal, random_sample(400, 2), LABELS)
    given = {"resamples": 100, "seed": 0}
    found = confirm(
        parse_goal(goal, value=0.5), tables, LABELS, confusion, {"spam": of_label(value)}, **given
    )
    return found["spam"]


@pytest.mark.parametrize("figure", ["precision", "recall"])
@pytest.mark.parametrize(("value", "verdict"), [(0.8, True), (0.81, True), (0.7999, False)])
def test_a_floor_is_confirmed_when_the_held_out_value_reaches_it(figure, value, verdict) -> None:
    found = confirmed(f"{figure} >= 0.8", value)
    assert (found.figure, found.required, found.confirmed) == (figure, 0.8, verdict)
    assert found.held_out.value == value
    assert found.out_of_fold.value >= 0.8


@pytest.mark.parametrize(("limit", "verdict"), [(318, True), (317, True), (316, False)])
def test_alerts_are_confirmed_when_their_share_stays_within_the_limit(limit: int, verdict: bool) -> None:
    # 38 of 120 rows are alerts: 316.67 of 1,000 texts.
    found = confirmed(f"alerts <= {limit} of 1000 a day")
    assert found.confirmed is verdict
    assert found.held_out.value == pytest.approx(1000 * 38 / 120)
    assert found.out_of_fold.value <= limit


def test_alerts_at_the_limit_are_within_it_whatever_rounding_does() -> None:
    confusion = np.array([[290, 3], [0, 7]])
    assert confirmed("alerts <= 10 of 300 a day", confusion=confusion).confirmed
    assert confirmed("alerts <= 30 of 900 a day", confusion=confusion).confirmed


def test_cost_is_told_of_both_sides_without_a_verdict() -> None:
    found = confirmed("cost miss=5 false_alarm=1")
    assert found.held_out.value == pytest.approx(1000 * (5 * 2 + 10) / 120)
    assert found.held_out.low < found.held_out.value < found.held_out.high
    assert found.out_of_fold.value is not None
    assert (found.confirmed, found.required) == (None, None)
    assert found.sentence("cost miss=5 false_alarm=1").startswith(
        "Goal cost miss=5 false_alarm=1: The cost of 1,000 texts, 'spam' against the rest, is 166.7 ("
    )


@pytest.mark.parametrize("goal", ["max f1", "fixed"])
def test_goals_that_ask_for_no_number_tell_f1_without_a_verdict(goal: str) -> None:
    found = confirmed(goal)
    assert (found.figure, found.confirmed) == ("f1", None)
    assert found.sentence(goal).startswith(f"Goal {goal}: F1 of 'spam' is 0.9000 (0.8500 to 0.9500)")


def test_an_undefined_figure_confirms_nothing_and_says_why() -> None:
    found = confirmed("recall >= 0.8", None)
    assert found.confirmed is False
    assert "not confirmed. Recall of 'spam' is undefined (no row has" in found.sentence("recall >= 0.8")
    assert not found.sentence("recall >= 0.8").endswith("it.")


def test_a_table_without_the_figure_leaves_it_undefined() -> None:
    [table] = tables_for("fixed", random_sample(40, 2), LABELS)
    bare = table.model_copy(update={"metrics": {}})
    found = confirm(
        parse_goal("fixed", value=0.5),
        [bare],
        LABELS,
        CONFUSION,
        {"spam": of_label(0.9)},
        resamples=5,
        seed=0,
    )
    assert found["spam"].out_of_fold.reason == "no out-of-fold row has or was given the label 'spam'"


@pytest.mark.parametrize(
    ("value", "verdict", "doubt"),
    [
        (0.9, " confirmed.", "was chosen."),
        (0.82, " confirmed.", "The interval leaves room for other rows to miss it."),
        (0.78, " not confirmed.", "The interval leaves room for other rows to meet it."),
        (0.5, " not confirmed.", "was chosen."),
    ],
)
def test_the_sentence_says_verdict_both_figures_and_doubt(value: float, verdict: str, doubt: str) -> None:
    found = confirmed("recall >= 0.8", value)
    sentence = found.sentence("recall >= 0.8")
    assert sentence.startswith(f"Goal recall >= 0.8:{verdict} Recall of 'spam' is {found.held_out} on the")
    assert f"it was {found.out_of_fold} on the out-of-fold rows" in sentence
    assert f"the threshold {found.threshold:.4g} ({found.low:.4g} to {found.high:.4g})" in sentence
    assert sentence.endswith(doubt)


def test_a_threshold_without_an_interval_is_told_alone() -> None:
    bare = confirmed("recall >= 0.8").model_copy(update={"low": None, "high": None})
    assert f"the threshold {bare.threshold:.4g} was chosen" in bare.sentence("recall >= 0.8")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_label_against_the_rest_counts_every_row_once(number: int) -> None:
    confusion = np.array([[5, 1, 2], [3, 7, 4], [6, 8, 9]])
    (rest, alarms), (missed, hits) = one_against_rest(confusion, number).tolist()
    assert hits == confusion[number, number]
    assert hits + alarms == confusion[:, number].sum()
    assert hits + missed == confusion[number].sum()
    assert rest + alarms + missed + hits == confusion.sum()


def test_each_label_of_a_mean_has_its_own_threshold() -> None:
    labels = ("a", "b", "c")
    tables = tables_for("max f1", random_sample(300, 3), labels)
    report = random_report(200, labels, thresholds=tables)
    assert tuple(report.operating_point.thresholds) == labels
    for label, found in report.operating_point.thresholds.items():
        assert found.held_out == report.per_class[label].f1


def test_a_report_tells_goal_figures_and_review(tuned_report: Report, tuned_spam: Tuned) -> None:
    point, [table] = tuned_report.operating_point, tuned_spam.tables
    found = point.thresholds["spam"]
    assert (point.goal, point.review) == ("recall >= 0.9", (0.2, 1.0))
    assert found.held_out == tuned_report.per_class["spam"].recall
    assert (found.out_of_fold.value, found.out_of_fold.low, found.out_of_fold.high) == table.metrics["recall"]
    assert (found.threshold, found.low, found.high) == (table.chosen.threshold, table.low, table.high)
    assert found.threshold == tuned_report.threshold
    goal, review = point.lines()
    assert goal == found.sentence("recall >= 0.9")
    assert review == f"Review band 0.2 to 1: {point.reviewed:,} held-out rows are marked for review."


def test_rows_in_review_are_those_that_the_cascade_marks(tuned_report, tuned_spam: Tuned, held_out) -> None:
    measure = RuleMeasure(hits=9, right=9, low=0.7)
    rules = dict.fromkeys((rule.id for rule in tuned_spam.cascade.rules.deciding), measure)
    point = tuned_spam.cascade.operating_point.model_copy(update={"rules": rules})
    decisions = replace(tuned_spam.cascade, operating_point=point).decide(held_out.texts)
    assert tuned_report.operating_point.reviewed == sum(decision.review for decision in decisions) > 0


def test_no_table_leaves_the_operating_point_out() -> None:
    assert random_report(60, ["ham", "spam"]).operating_point is None
