"""Drift and live quality are shown of the versions that answer, and of no others."""

import pytest

from assay.telemetry import Counters
from tests.telemetry.scraped import samples, value

OF_ONE = {"task": "spam", "version": "1"}


@pytest.fixture
def counters() -> Counters:
    """Counters of a process in which version 1 answers and is watched."""
    made = Counters()
    made.serving("spam", "1")
    made.drift("spam", "1", {"score": 0.3, "label": 0.01}, ["score"], 2_000)
    made.quality("spam", "1", {"precision": (0.8, 0.9, 0.95), "recall": (0.5, 0.6, 0.7)}, 120)
    return made


def watched(counters: Counters) -> set[tuple[str, str]]:
    """Return which watched families show which versions."""
    return {
        (name, dict(labels)["version"])
        for name, labels in samples(counters)
        if name.startswith(("assay_drift", "assay_live"))
    }


def test_scores_alarms_and_bounds_are_told(counters: Counters) -> None:
    assert value(counters, "assay_drift_score", **OF_ONE, statistic="score") == 0.3
    assert value(counters, "assay_drift_alarm", **OF_ONE, statistic="score") == 1
    assert value(counters, "assay_drift_alarm", **OF_ONE, statistic="label") == 0
    assert value(counters, "assay_drift_decisions", **OF_ONE) == 2_000
    bounds = [
        value(counters, "assay_live_quality", **OF_ONE, metric="precision", bound=bound)
        for bound in ("low", "estimate", "high")
    ]
    assert bounds == [0.8, 0.9, 0.95]
    assert value(counters, "assay_live_quality_labels", **OF_ONE) == 120


def test_an_alarm_that_ended_is_0(counters: Counters) -> None:
    counters.drift("spam", "1", {"score": 0.02}, [], 3_000)
    assert value(counters, "assay_drift_alarm", **OF_ONE, statistic="score") == 0


def test_what_is_no_longer_told_is_gone(counters: Counters) -> None:
    counters.drift("spam", "1", {"score": 0.02}, [], 3_000)
    counters.quality("spam", "1", {"precision": (0.8, 0.9, 0.95)}, 121)
    assert value(counters, "assay_drift_score", **OF_ONE, statistic="label") is None
    assert value(counters, "assay_live_quality", **OF_ONE, metric="recall", bound="low") is None


def test_an_alarm_without_a_score_is_told() -> None:
    counters = Counters()
    counters.drift("spam", "1", {}, ["rule"], 10)
    assert value(counters, "assay_drift_alarm", **OF_ONE, statistic="rule") == 1


def test_a_version_that_leaves_takes_its_series_along(counters: Counters) -> None:
    counters.serving("spam", "2")
    assert watched(counters) == set()
    counters.drift("spam", "1", {"score": 0.3}, ["score"], 2_001)
    counters.quality("spam", "1", {"precision": (0.8, 0.9, 0.95)}, 121)
    assert watched(counters) == set()


def test_a_version_that_comes_back_is_shown_again(counters: Counters) -> None:
    counters.serving("spam", "2")
    counters.serving("spam", "1")
    counters.drift("spam", "1", {"score": 0.3}, ["score"], 2_001)
    assert value(counters, "assay_drift_score", **OF_ONE, statistic="score") == 0.3


def test_a_version_that_is_served_again_keeps_what_is_told(counters: Counters) -> None:
    counters.serving("spam", "1")
    assert value(counters, "assay_drift_score", **OF_ONE, statistic="score") == 0.3


def test_other_tasks_are_left_alone(counters: Counters) -> None:
    counters.drift("abuse", "7", {"score": 0.1}, [], 5)
    counters.serving("spam", "2")
    assert {version for _, version in watched(counters)} == {"7"}


def test_zero_is_a_value_and_not_gone(counters: Counters) -> None:
    counters.drift("spam", "1", {"score": 0.0}, [], 0)
    assert value(counters, "assay_drift_score", **OF_ONE, statistic="score") == 0
    assert value(counters, "assay_drift_decisions", **OF_ONE) == 0
