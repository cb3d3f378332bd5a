"""The operating point gives labels at its thresholds, marks what to review and refuses nonsense."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.estimators import OperatingPoint
from assay.estimators.calibration import Calibration
from assay.estimators.curves import SigmoidCurve
from assay.estimators.thresholds import RuleMeasure
from assay.exceptions import MissingExtra

ABC = ("a", "b", "c")
ONE = SigmoidCurve(slope=1, intercept=0)


def test_the_likeliest_of_many_labels_is_given_and_the_first_of_equals() -> None:
    point = OperatingPoint(threshold=None, goal="fixed")
    rows = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    assert point.labels_of(rows, ABC, "c") == ["b", "a"]


@pytest.mark.parametrize("positive", ["ham", "spam"])
def test_the_positive_label_is_given_from_the_threshold_on(positive: str) -> None:
    scores = np.array([0.7, np.nextafter(0.7, 0), np.nextafter(0.7, 1)])
    rows = np.column_stack([scores, 1 - scores] if positive == "ham" else [1 - scores, scores])
    other = {"ham": "spam", "spam": "ham"}[positive]
    given_ = OperatingPoint(threshold=0.7, goal="fixed").labels_of(rows, ["ham", "spam"], positive)
    assert given_ == [positive, other, positive]


def test_of_many_labels_the_largest_multiple_of_its_threshold_is_given() -> None:
    point = OperatingPoint(threshold=None, goal="max f1", thresholds={"c": 0.1, "a": 0.6, "b": 0.3})
    rows = np.array([[0.6, 0.25, 0.15], [0.6, 0.31, 0.09], [0.65, 0.29, 0.06]])
    assert point.labels_of(rows, ABC, "a") == ["c", "b", "a"]


def test_equal_thresholds_decide_as_none_even_between_neighbouring_numbers() -> None:
    lower = np.linspace(0.34, 0.49, 99)
    higher = np.nextafter(lower, 1)
    # The plain quotients of some of these pairs are equal.
    assert (lower / (1 / 3) == higher / (1 / 3)).any()
    equal = OperatingPoint(threshold=None, goal="max f1", thresholds=dict.fromkeys(ABC, 1 / 3))
    rows = np.column_stack([lower, higher, 1 - lower - higher])
    assert equal.labels_of(rows, ABC, "a") == ["b"] * 99


@pytest.mark.parametrize("label", range(3))
def test_the_label_that_a_rule_decided_is_kept(label: int) -> None:
    certain = np.eye(3)[[label]]
    many = OperatingPoint(threshold=None, goal="max f1", thresholds={"a": 0.98, "b": 0.01, "c": 0.01})
    assert many.labels_of(certain, ABC, "a") == [ABC[label]]
    for threshold in (1e-9, 1.0):
        two = OperatingPoint(threshold=threshold, goal="fixed")
        assert two.labels_of(np.eye(2), ABC[:2], "b") == ["a", "b"]


@given(
    weights=st.lists(st.floats(0.01, 1), min_size=3, max_size=5),
    threshold=st.floats(1e-6, 1 - 1e-6),
    data=st.data(),
)
def test_a_label_is_given_from_its_threshold_on_of_its_share_with_the_runner_up(
    weights: list[float], threshold: float, data: st.DataObject
) -> None:
    labels = [str(number) for number in range(len(weights))]
    shares = dict(zip(labels, (np.array(weights) / sum(weights)).tolist(), strict=True))
    at = data.draw(st.integers(0, len(weights) - 1))
    moved = OperatingPoint(threshold=None, goal="max f1", thresholds=shares).moved(
        threshold, labels[at], labels
    )
    assert moved.threshold_of(labels[at], labels) == pytest.approx(threshold, rel=1e-9)
    others = [label for label in labels if label != labels[at]]
    mean = sum(shares[label] for label in others) / len(others)
    row = data.draw(st.lists(st.floats(0.01, 1), min_size=len(weights), max_size=len(weights)))
    rival = max(row[int(label)] / (shares[label] / mean) for label in others)
    margin = row[at] / (row[at] + rival)
    if abs(margin - threshold) > 1e-9:
        [given_] = moved.labels_of(np.array([row]), labels, labels[0])
        assert (given_ == labels[at]) == (margin > threshold)


def test_a_moved_point_keeps_all_but_its_threshold() -> None:
    point = OperatingPoint(threshold=0.5, goal="fixed", review=(0.4, 0.6), calibration={"method": "none"})
    moved = point.moved(0.3, "spam", ["ham", "spam"])
    assert moved == OperatingPoint(threshold=0.3, goal="fixed", review=(0.4, 0.6))
    assert moved.threshold_of("spam", ["ham", "spam"]) == 0.3


def test_the_likeliest_label_is_a_threshold_of_one_half_of_its_share() -> None:
    plain = OperatingPoint(threshold=None, goal="fixed")
    assert plain.threshold_of("b", ABC) == 0.5
    assert plain.moved(0.5, "b", ABC).thresholds == dict.fromkeys(ABC, 1 / 3)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_label_of_many_cannot_be_moved_out_of_reach(threshold: float) -> None:
    with pytest.raises(ValidationError):
        OperatingPoint(threshold=None, goal="fixed").moved(threshold, "b", ABC)


def test_no_band_reviews_nothing() -> None:
    point = OperatingPoint(threshold=0.5, goal="fixed")
    assert point.in_review(np.full((3, 2), 0.5), 1).tolist() == [False] * 3


def test_the_band_is_of_the_positive_label_and_holds_both_its_ends() -> None:
    point = OperatingPoint(threshold=0.5, goal="fixed", review=(0.4, 0.6))
    scores = np.array([np.nextafter(0.4, 0), 0.4, 0.5, 0.6, np.nextafter(0.6, 1)])
    rows = np.column_stack([1 - scores, scores])
    assert point.in_review(rows, 1).tolist() == [False, True, True, True, False]
    assert point.labels_of(rows, ["ham", "spam"], "spam") == ["ham", "ham", "spam", "spam", "spam"]


def test_with_many_labels_the_band_is_of_the_label_given() -> None:
    point = OperatingPoint(threshold=None, goal="fixed", review=(0.3, 0.5))
    rows = np.array([[0.45, 0.35, 0.2], [0.3, 0.6, 0.1]])
    assert point.in_review(rows, point.columns_of(rows, ABC, "a")).tolist() == [True, False]


def test_what_a_rule_decided_is_never_reviewed() -> None:
    point = OperatingPoint(threshold=0.5, goal="fixed", review=(0.4, 1.0))
    rows = np.array([[0.0, 1.0], [0.0, 1.0], [0.5, 0.5]])
    assert point.in_review(rows, 1, np.array([0, -1, 3])).tolist() == [False, True, False]


def test_a_point_fits_its_own_labels_alone() -> None:
    two, many = ["ham", "spam"], list(ABC)
    one_curve = Calibration(method="sigmoid", curves=(ONE,))
    assert OperatingPoint(threshold=0.5, goal="fixed", calibration=one_curve).fits(two)
    assert not OperatingPoint(threshold=0.5, goal="fixed").fits(many)
    assert not OperatingPoint(threshold=None, goal="fixed").fits(two)
    assert OperatingPoint(threshold=None, goal="fixed").fits(many)
    assert not OperatingPoint(threshold=None, goal="fixed", calibration=one_curve).fits(many)
    balanced = OperatingPoint(threshold=None, goal="max f1", thresholds={"a": 0.5, "b": 0.3, "c": 0.2})
    assert balanced.fits(many)
    assert not balanced.fits(["a", "b", "d"])
    assert not balanced.fits([*many, "d"])


@pytest.mark.parametrize("threshold", ["0.5", "null"])
def test_a_point_stored_before_goals_existed_loads_unchanged(threshold: str) -> None:
    point = OperatingPoint.model_validate_json(f'{{"threshold": {threshold}, "goal": "fixed"}}')
    assert point == OperatingPoint(threshold=0.5 if threshold == "0.5" else None, goal="fixed")
    assert point.calibration == Calibration()
    assert (point.thresholds, point.review, point.rules) == ({}, None, {})


def test_a_point_survives_json() -> None:
    point = OperatingPoint(
        threshold=None,
        goal="max f1",
        thresholds={"a": 0.1 + 0.2, "b": 0.3, "c": 0.4},
        review=(0.2, 0.4),
        calibration=Calibration(method="sigmoid", curves=(ONE, ONE, ONE)),
        rules={"free-prize": RuleMeasure.of(40, 39)},
    )
    assert OperatingPoint.model_validate_json(point.model_dump_json()) == point


@pytest.mark.parametrize(
    ("stored", "match"),
    [
        ('{"threshold": -0.1}', "threshold"),
        ('{"threshold": 1.1}', "threshold"),
        ('{"threshold": NaN}', "threshold"),
        ('{"threshold": Infinity}', "threshold"),
        ('{"threshold": 0.5, "thresholds": {"a": 0.2, "b": 0.3, "c": 0.5}}', "more than two labels"),
        ('{"threshold": null, "thresholds": {"a": 0.5, "b": 0.5}}', "more than two labels"),
        ('{"threshold": null, "thresholds": {"a": 0.2, "b": 0.3, "c": 0.4}}', "sum to 1"),
        ('{"threshold": null, "thresholds": {"a": 0.0, "b": 0.5, "c": 0.5}}', "thresholds.a"),
        ('{"threshold": null, "thresholds": {"a": NaN, "b": 0.5, "c": 0.5}}', "thresholds.a"),
        ('{"threshold": 0.5, "review": [0.6, 0.4]}', "must rise"),
        ('{"threshold": 0.5, "review": [0.4, 0.4]}', "must rise"),
        ('{"threshold": 0.5, "review": [0.4, 1.4]}', "review"),
        ('{"threshold": 0.5, "rules": {"x": {"hits": 2, "right": 3, "low": 0.1}}}', "3 right of 2 hits"),
        ('{"threshold": 0.5, "rules": {"x": {"hits": 4, "right": 2, "low": 0.6}}}', "lower bound 0.6"),
        ('{"threshold": 0.5, "bias": 1}', "bias"),
    ],
)
def test_a_stored_point_that_is_inconsistent_is_refused(stored: str, match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        OperatingPoint.model_validate_json(stored.removesuffix("}") + ', "goal": "fixed"}')


def test_the_bound_of_a_rules_precision_is_exact() -> None:
    from scipy.stats import binomtest

    interval = binomtest(38, 40).proportion_ci(method="exact")
    assert RuleMeasure.of(40, 38).low == pytest.approx(interval.low)
    assert RuleMeasure.of(40, 40).low == pytest.approx(binomtest(40, 40).proportion_ci(method="exact").low)
    assert RuleMeasure.of(0, 0) == RuleMeasure(hits=0, right=0, low=0.0)
    assert RuleMeasure.of(7, 0).low == 0.0


def test_measuring_a_rule_without_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match=r"assay\[train\]"):
        RuleMeasure.of(3, 2)
