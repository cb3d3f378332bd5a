"""The table behind a threshold is true, and says how sure the choice and its metrics are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.estimators import OperatingPoint
from assay.estimators.thresholds import Sample, ThresholdRow, ThresholdTable
from assay.estimators.thresholds.goals import pick
from assay.estimators.thresholds.resampling import RESAMPLES, chosen_again
from assay.estimators.thresholds.scans import Scan
from assay.estimators.thresholds.thresholds import GRID, choose_operating_point, measure_threshold
from tests.estimators.held_out import (
    CAUGHT,
    HAM_OR_SPAM,
    LABELS,
    SPAM,
    binary,
    cells_at,
    cells_of,
    chosen,
    config,
    flat,
    goals,
    margins,
    resamples,
    samples,
)


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


def test_a_fixed_goal_serves_the_tasks_value_and_tells_what_it_does() -> None:
    point, [table] = choose_operating_point(config("fixed", value=0.85), HAM_OR_SPAM, "spam", CAUGHT)
    assert point == OperatingPoint(threshold=0.85, goal="fixed")
    assert flat(table.chosen) == (1, 0, 2, 3)
    assert (table.low, table.high, table.unreached) == (0.85, 0.85, 0)


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
