"""A threshold is chosen as well as counting row by row would, and the table behind it is true."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.config import ThresholdConfig
from assay.estimators import OperatingPoint
from assay.estimators.goals import pick
from assay.estimators.resampling import RESAMPLES, chosen_again
from assay.estimators.samples import Sample
from assay.estimators.scans import Scan
from assay.estimators.tables import ThresholdRow, ThresholdTable
from assay.estimators.thresholds import GRID, choose_operating_point, measure_threshold
from assay.exceptions import DataError, GoalError
from tests.estimators.held_out import (
    LABELS,
    all_cells,
    binary,
    cells_at,
    cells_of,
    margins,
    mean_f1,
    resamples,
    sample_of,
    samples,
    worth,
)

HAM_OR_SPAM = LABELS[:2]
SPAM = 1
goals = st.one_of(
    st.just("max f1"),
    st.integers(1, 20).map(lambda part: f"precision >= {part / 20}"),
    st.integers(1, 20).map(lambda part: f"recall >= {part / 20}"),
    st.tuples(st.sampled_from([1, 5, 0.5]), st.sampled_from([1, 3])).map(
        lambda costs: f"cost miss={costs[0]} false_alarm={costs[1]}"
    ),
    st.tuples(st.integers(1, 10), st.integers(10, 20)).map(
        lambda share: "alerts <= {} of {} a day".format(*share)
    ),
)
CAUGHT = binary([0.1, 0.3, 0.4, 0.6, 0.8, 0.9], [0, 0, 1, 0, 1, 1])
"""Six rows: one ham above one spam."""


def config(goal: str, **values: object) -> ThresholdConfig:
    return ThresholdConfig.model_validate({"goal": goal} | values)


def chosen(
    goal: str, sample: Sample, labels: int = 2, positive: str = "spam"
) -> tuple[OperatingPoint, ThresholdTable]:
    point, [table] = choose_operating_point(config(goal), LABELS[:labels], positive, sample)
    return point, table


def flat(row: ThresholdRow) -> tuple[int, ...]:
    return (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)


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


@settings(deadline=None)
@given(sample=st.integers(2, 4).flatmap(samples), goal=st.sampled_from(["fixed", "max f1"]))
def test_every_row_of_a_table_is_what_its_threshold_decides(sample: Sample, goal: str) -> None:
    labels = LABELS[: sample.probabilities.shape[1]]
    point, tables = choose_operating_point(config(goal), labels, "spam", sample)
    for table in tables:
        number = labels.index(table.label)
        assert tuple(row.threshold for row in table.rows) == GRID
        for row in table.rows[::7]:
            moved = point.moved(row.threshold, table.label, labels)
            assert flat(row) == cells_at(sample, moved, number)
            assert row == measure_threshold(sample, point, labels, "spam", table.label, row.threshold)


@settings(deadline=None)
@given(sample=samples(2) | samples(3))
def test_the_grid_counts_margins_from_the_threshold_on(sample: Sample) -> None:
    labels = sample.probabilities.shape[1]
    _, table = chosen("fixed", sample, labels)
    scores = margins(sample, SPAM)
    for row in table.rows:
        if labels == 2 or min(abs(score - row.threshold) for score in scores) > 1e-9:
            given_ = [SPAM if score >= row.threshold else -1 for score in scores]
            assert flat(row) == cells_of(sample, SPAM, given_)


@settings(deadline=None)
@given(sample=samples(2), seed=st.integers(0, 99), goal=goals)
def test_a_resample_chooses_as_its_rows_would(sample: Sample, seed: int, goal: str) -> None:
    check_resamples(sample, seed, goal)


@settings(deadline=None)
@given(sample=samples(3), seed=st.integers(0, 99), goal=goals)
def test_a_resample_of_more_labels_chooses_as_its_rows_would(sample: Sample, seed: int, goal: str) -> None:
    check_resamples(sample, seed, goal)


def check_resamples(sample: Sample, seed: int, goal: str) -> None:
    labels, parsed = sample.probabilities.shape[1], config(goal).parsed
    weights = np.array([0.5, 0.2, 0.3][:labels])
    macro = goal == "max f1" and labels > 2
    scan = Scan.of(sample, SPAM, weights, macro=macro)
    units = units_of(sample, weights, macro=macro)
    for rows in resamples(sample, seed, 3):
        drawn = Sample(*(part[rows] for part in sample))
        again = Scan.of(drawn, SPAM, weights, macro=macro)
        [wanted] = pick(parsed, again.curve(again.counts[None])).tolist()
        counts = np.bincount(units[rows], minlength=len(scan.counts))
        [found] = pick(parsed, scan.curve(counts[None])).tolist()
        assert (found < 0) == (wanted < 0)
        if found >= 0:
            assert scan.between(counts, found) == pytest.approx(float(again.thresholds[wanted]), abs=1e-9)


def units_of(sample: Sample, weights: Any, *, macro: bool) -> Any:
    """Return each row's unit of a scan: the one that has a row more once the row is doubled."""
    counts = Scan.of(sample, SPAM, weights, macro=macro).counts
    doubled = (
        Sample(*(np.append(part, part[[at]], axis=0) for part in sample)) for at in range(len(sample.truth))
    )
    more = [Scan.of(each, SPAM, weights, macro=macro).counts - counts for each in doubled]
    return np.array([each.argmax() for each in more])


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


def test_a_fixed_goal_serves_the_tasks_value_and_tells_what_it_does() -> None:
    point, [table] = choose_operating_point(config("fixed", value=0.85), HAM_OR_SPAM, "spam", CAUGHT)
    assert point == OperatingPoint(threshold=0.85, goal="fixed")
    assert flat(table.chosen) == (1, 0, 2, 3)
    assert (table.low, table.high, table.unreached) == (0.85, 0.85, 0)


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


def test_the_interval_holds_the_choice_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    sample = binary((rng.normal(size=400) + 2 * truth + 4).clip(0, 10) / 10, truth.tolist())
    table = chosen("max f1", sample)[1]
    assert table == chosen("max f1", sample)[1]
    assert table.low is not None
    assert table.high is not None
    assert table.low < table.chosen.threshold < table.high
    assert table.resamples == RESAMPLES
    again = chosen_again(config("max f1").parsed, Scan.of(sample, SPAM, np.ones(2)))
    assert len(again) == RESAMPLES
    assert (table.low, table.high) == tuple(np.percentile(again, (2.5, 97.5)))


def test_resamples_that_miss_the_goal_are_told_and_left_out() -> None:
    # Only the top row has a precision of 1: a resample without it chooses nothing.
    sample = binary([0.9, 0.8, 0.7, 0.2], [1, 0, 1, 0])
    table = chosen("precision >= 1", sample)[1]
    # It is missing from (3/4)^4 of the resamples; the second row is missing as well from some of these.
    assert 0.15 < table.unreached / RESAMPLES < 0.33
    assert table.low is not None
    assert 0 < table.low < 0.9


def test_a_resample_without_a_row_of_the_label_has_no_best_f1() -> None:
    table = chosen("max f1", binary([0.9, 0.2], [1, 0]))[1]
    # One of four resamples draws the ham row twice.
    assert 0.2 < table.unreached / RESAMPLES < 0.3


def test_metrics_have_intervals_as_wide_as_their_rows_are_few() -> None:
    shares = {"precision": (0.9, 20), "recall": (0.75, 24), "accuracy": (0.96, 200), "alerts": (0.1, 200)}
    for times in (1, 50):
        tp, fp, fn, tn = (count * times for count in (18, 2, 6, 174))
        sample = binary([0.9] * (tp + fp) + [0.1] * (fn + tn), [1] * tp + [0] * fp + [1] * fn + [0] * tn)
        _, table = chosen("fixed", sample)
        assert flat(table.chosen) == (tp, fp, fn, tn)
        assert {name: value for name, (value, _, _) in table.metrics.items()} == pytest.approx(
            {name: share for name, (share, _) in shares.items()} | {"f1": 36 / 44}
        )
        assert table.metrics["f1"][1] < 36 / 44 < table.metrics["f1"][2]
        for name, (share, rows) in shares.items():
            _, low, high = table.metrics[name]
            assert 0 <= low < share < high <= 1
            wide = 2 * 1.96 * (share * (1 - share) / (rows * times)) ** 0.5
            assert high - low == pytest.approx(wide, rel=0.25), name


def test_a_metric_without_rows_is_left_out() -> None:
    _, [table] = choose_operating_point(config("fixed", value=1.0), HAM_OR_SPAM, "spam", CAUGHT)
    assert table.chosen.precision is None
    assert table.metrics.keys() == {"recall", "f1", "accuracy", "alerts"}
    nothing = ThresholdRow(
        threshold=0.5, true_positives=0, false_positives=0, false_negatives=0, true_negatives=0
    )
    assert {nothing.precision, nothing.recall, nothing.f1, nothing.accuracy, nothing.alerts} == {None}
    assert table.alerts_a_day(nothing) == 0


def test_alerts_a_day_are_told_for_the_tasks_traffic_or_the_goals() -> None:
    _, [table] = choose_operating_point(config("fixed", texts_a_day=600), HAM_OR_SPAM, "spam", CAUGHT)
    assert table.texts_a_day == 600
    assert table.alerts_a_day(table.chosen) == 300
    assert chosen("alerts <= 4 of 6 a day", CAUGHT)[1].texts_a_day == 6


def test_a_table_survives_json() -> None:
    table = chosen("max f1", CAUGHT)[1]
    assert ThresholdTable.model_validate_json(table.model_dump_json()) == table


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["rows"].reverse(),
        lambda values: values["rows"].clear(),
        lambda values: values["rows"].insert(3, values["rows"][3]),
        lambda values: values["rows"][3].update(true_negatives=99),
        lambda values: values["rows"][3].update(threshold=0),
        lambda values: values["chosen"].update(false_negatives=99),
        lambda values: values["chosen"].update(false_positives=-1),
        lambda values: values.update(low=None),
        lambda values: values.update(low=values["high"], high=values["low"]),
        lambda values: values.update(unreached=RESAMPLES + 1),
        lambda values: values["metrics"].update(f1=[0.5, float("nan"), 0.6]),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    values = chosen("max f1", CAUGHT)[1].model_dump()
    values["rows"] = list(values["rows"])
    change(values)
    with pytest.raises(ValidationError):
        ThresholdTable.model_validate(values)


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
