"""A threshold is chosen as well as counting row by row would."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay.estimators import OperatingPoint
from assay.estimators.thresholds import Sample, choose_operating_point
from assay.estimators.thresholds.scans import Scan
from assay.exceptions import GoalError
from tests.estimators.held_out import (
    CAUGHT,
    HAM_OR_SPAM,
    LABELS,
    SPAM,
    all_cells,
    binary,
    cells_at,
    chosen,
    config,
    flat,
    goals,
    mean_f1,
    sample_of,
    samples,
    worth,
)


@settings(deadline=None)
@given(sample=st.integers(2, 4).flatmap(samples), goal=goals)
def test_the_choice_is_as_good_as_trying_every_threshold(sample: Sample, goal: str) -> None:
    labels = sample.probabilities.shape[1]
    assume(labels == 2 or goal != "max f1")
    parsed = config(goal).parsed
    tried = {threshold: worth(parsed, cells) for threshold, cells in all_cells(sample, SPAM).items()}
    reached = {threshold: value for threshold, value in tried.items() if value is not None}
    if not reached:
        with pytest.raises(GoalError, match="is not reached by any threshold"):
            chosen(goal, sample, labels)
        return
    point, table = chosen(goal, sample, labels)
    cells = cells_at(sample, point, SPAM)
    assert worth(parsed, cells) == max(reached.values())
    assert flat(table.chosen) == cells
    assert 0 < table.chosen.threshold < 1
    assert table.chosen.threshold == pytest.approx(point.threshold_of("spam", LABELS[:labels]), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(sample=samples(3) | samples(4, most=12))
def test_no_single_move_makes_the_mean_f1_better(sample: Sample) -> None:
    labels = LABELS[: sample.probabilities.shape[1]]
    point, tables = choose_operating_point(config("max f1"), labels, "spam", sample)
    best = mean_f1(sample, point)
    assert best >= mean_f1(sample, OperatingPoint(threshold=None, goal="fixed"))
    assert [table.label for table in tables] == list(labels)
    weights = point.weights(labels)
    for number, table in enumerate(tables):
        assert flat(table.chosen) == cells_at(sample, point, number)
        others = np.delete(np.arange(len(labels)), number)
        rivals = (sample.probabilities[:, others] / (weights[others] / weights[others].mean())).max(axis=1)
        own = sample.probabilities[:, number]
        places = np.unique(np.append(own / (own + rivals), [0, 1]))
        for threshold in ((places[1:] + places[:-1]) / 2)[np.diff(places) > 1e-9]:
            moved = point.moved(float(threshold), table.label, labels)
            assert mean_f1(sample, moved) <= best


@settings(deadline=None)
@given(sample=samples(3) | samples(4, most=12), squares=st.permutations([2, 3, 5, 7]))
def test_a_scan_knows_the_mean_f1_of_every_candidate(sample: Sample, squares: list[int]) -> None:
    labels = LABELS[: sample.probabilities.shape[1]]
    # Roots of primes: no two shares of whole numbers are equal multiples of them.
    weights = np.sqrt(squares[: len(labels)])
    shares = dict(zip(labels, (weights / weights.sum()).tolist(), strict=True))
    point = OperatingPoint(threshold=None, goal="max f1", thresholds=shares)
    scan = Scan.of(sample, SPAM, weights, macro=True)
    curve = scan.curve(scan.counts[None])
    for at, threshold in enumerate(scan.thresholds.tolist()):
        wanted = mean_f1(sample, point.moved(threshold, "spam", labels))
        assert (curve.f1 + curve.others)[0, at] / len(labels) == pytest.approx(float(wanted))


def test_each_goal_chooses_what_a_reader_would() -> None:
    wanted = {
        "max f1": 0.35,
        "precision >= 0.99": 0.7,
        "recall >= 0.9": 0.35,
        "cost miss=1 false_alarm=5": 0.7,
        "cost miss=5 false_alarm=1": 0.35,
        "alerts <= 1 of 6 a day": 0.85,
        "alerts <= 2 of 6 a day": 0.7,
    }
    found = {goal: chosen(goal, CAUGHT)[0].threshold for goal in wanted}
    assert found == pytest.approx(wanted)


def test_a_goal_that_is_met_to_the_digit_is_reached() -> None:
    # From the top: right, wrong, wrong, right.
    sample = binary([0.9, 0.8, 0.3, 0.2], [1, 0, 0, 1])
    assert chosen("recall >= 0.5", sample)[0].threshold == pytest.approx(0.85)
    assert chosen("precision >= 0.5", sample)[0].threshold == pytest.approx(0.1)
    assert chosen("alerts <= 1 of 4 a day", sample)[0].threshold == pytest.approx(0.85)


def test_the_positive_label_may_be_the_first() -> None:
    turned = Sample(1 - CAUGHT.truth, CAUGHT.probabilities[:, ::-1], CAUGHT.ruled)
    point, [table] = choose_operating_point(config("precision >= 0.99"), ("spam", "ham"), "spam", turned)
    assert point.threshold == pytest.approx(0.7)
    assert flat(table.chosen) == (2, 0, 1, 3)


def test_equal_goods_are_decided_for_fewer_alerts() -> None:
    sample = binary([0.9, 0.5, 0.1], [1, 0, 0], [-1, 0, -1])
    assert chosen("max f1", sample)[0].threshold == pytest.approx(0.5), "the row of the rule is no neighbour"
    assert chosen("cost miss=1 false_alarm=1", binary([0.8, 0.4], [0, 1]))[0].threshold == pytest.approx(0.9)


def test_scores_that_differ_by_rounding_are_never_parted() -> None:
    close = 0.5 + 1e-13
    sample = binary([close, 0.5, 0.2], [1, 0, 0])
    point, table = chosen("max f1", sample)
    assert point.threshold == pytest.approx(0.35)
    assert flat(table.chosen) == (1, 1, 0, 1)


@pytest.mark.parametrize("scores", [[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
def test_certain_scores_have_a_threshold_between_them(scores: list[float]) -> None:
    assert chosen("max f1", binary(scores, [0, 1, 1]))[0].threshold == 0.5


def test_a_fixed_goal_of_many_labels_gives_the_likeliest() -> None:
    sample = sample_of([0, 1, 2], [[5, 3, 2], [1, 7, 2], [4, 5, 1]])
    point, table = chosen("fixed", sample, 3)
    assert point == OperatingPoint(threshold=None, goal="fixed")
    assert (table.label, table.chosen.threshold, flat(table.chosen)) == ("spam", 0.5, (1, 1, 0, 1))


def test_without_held_out_scores_a_fixed_goal_is_all_there_is() -> None:
    point, tables = choose_operating_point(
        config("fixed", value=0.3, review=[0.2, 0.4]), HAM_OR_SPAM, "spam", None
    )
    assert point == OperatingPoint(threshold=0.3, goal="fixed", review=(0.2, 0.4))
    assert tables == ()
    assert choose_operating_point(config("fixed", value=0.3), LABELS, "spam", None)[0].threshold is None
    with pytest.raises(
        GoalError, match="'max f1' is chosen on held-out scores, and there are none"
    ) as caught:
        choose_operating_point(config("max f1"), HAM_OR_SPAM, "spam", None)
    assert "State the goal 'fixed'" in caught.value.message
    assert caught.value.data["goal"] == "max f1"


def test_uneven_labels_are_balanced_better_than_by_the_likeliest() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 600, p=[0.8, 0.15, 0.05])
    parts = rng.integers(1, 60, (600, 3)) + np.array([60, 0, 0])
    parts[np.arange(600), truth] += 40
    sample = sample_of(truth.tolist(), parts.tolist())
    point, tables = choose_operating_point(config("max f1"), LABELS[:3], "spam", sample)
    plain = OperatingPoint(threshold=None, goal="fixed")
    assert mean_f1(sample, point) > mean_f1(sample, plain) + 0.1
    assert point.thresholds["ham"] > max(point.thresholds["spam"], point.thresholds["film"])
    assert point.fits(LABELS[:3])
    for table in tables:
        assert table.low is not None
        assert table.high is not None
        assert table.low <= table.chosen.threshold <= table.high


def test_what_rules_decide_counts_whatever_the_threshold() -> None:
    # A rule gives spam to a ham row and ham to a spam row: both scores would say the opposite.
    sample = binary([0.05, 0.95, 0.2, 0.7], [0, 1, 0, 1], [1, 0, -1, -1])
    _, table = chosen("max f1", sample)
    assert flat(table.chosen) == (1, 1, 1, 1)
    assert {
        (row.true_positives >= 0, row.false_positives >= 1, row.false_negatives >= 1) for row in table.rows
    } == {(True, True, True)}
    assert flat(table.rows[0]) == (1, 2, 1, 0)
    assert flat(table.rows[-1]) == (0, 1, 2, 1)


def test_the_curve_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import confusion_matrix_at_thresholds

    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, 500), rng.integers(1, 100, 500) / 100
    scan = Scan.of(binary(scores.tolist(), truth.tolist()), SPAM, np.ones(2))
    curve = scan.curve(scan.counts[None])
    _, fps, _, tps, _ = confusion_matrix_at_thresholds(truth, scores)
    # The first candidate stands above every score.
    assert curve.hits[0].tolist() == [0, *tps.astype(int).tolist()]
    assert (curve.alerts - curve.hits)[0].tolist() == [0, *fps.astype(int).tolist()]
