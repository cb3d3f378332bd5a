from typing import Any

import pytest

from assay.config import GatePolicy
from assay.evaluation import Cost, Interval, Report
from assay.gate.check import Check
from assay.gate.limits import check_limits
from tests.gate.reports import given, report_on

COST = Cost(
    machine="m", texts=9, median_ms=1, p99_ms=2.5, load_ms=1, memory_bytes=20_000_000, size_bytes=4_000_000
)
BASE = report_on(*given(80, 20, 10, 90), cost=COST, version="")


def limit(report: Report = BASE, **policy: Any) -> Check:
    """Return the one check of a policy with one limit."""
    [check] = check_limits(GatePolicy.model_validate(policy), report)
    return check


def test_without_limits_nothing_is_checked() -> None:
    assert list(check_limits(GatePolicy(), BASE)) == []


@pytest.mark.parametrize(
    ("key", "most", "less", "sentence"),
    [
        (
            "max_latency_ms",
            2.5,
            2.4,
            "Latency (99 of 100 single texts) is 2.5 ms, above the limit of 2.4 ms.",
        ),
        ("max_memory_mb", 20, 19.99, "Memory is 20.00 MB, above the limit of 19.99 MB."),
        ("max_size_mb", 4, 3, "Size is 4.0 MB, above the limit of 3 MB."),
    ],
)
def test_a_cost_passes_up_to_its_limit(key: str, most: float, less: float, sentence: str) -> None:
    at = limit(**{key: most})
    assert at.passed
    assert at.observed == at.required == most
    assert "within the limit of" in at.sentence
    over = limit(**{key: less})
    assert (over.passed, over.required) == (False, less)
    assert over.sentence == sentence


@pytest.mark.parametrize(("key", "figure"), [("max_brier", "brier"), ("max_ece", "ece")])
def test_a_calibration_error_passes_up_to_its_limit(key: str, figure: str) -> None:
    assert BASE.calibration is not None
    value = getattr(BASE.calibration, figure).value
    assert limit(**{key: value}).passed
    assert not limit(**{key: value - 1e-9}).passed


@pytest.mark.parametrize("key", ["max_brier", "max_ece", "max_latency_ms", "max_memory_mb", "max_size_mb"])
def test_a_figure_that_was_not_measured_keeps_to_no_limit(key: str) -> None:
    report = BASE.model_copy(update={"cost": None, "calibration": None})
    check = limit(report, **{key: 1})
    assert (check.observed, check.passed) == (None, False)
    assert "is unknown (it was not measured), so the limit of 1" in check.sentence
    assert check.sentence.endswith(f"(assay gate mail VERSION), or leave gate.{key} out.")


@pytest.mark.parametrize(
    ("key", "field", "reason"),
    [
        ("max_latency_ms", "p99_ms", "there were no texts to time"),
        ("max_memory_mb", "memory_bytes", "this system does not tell it"),
    ],
)
def test_a_figure_that_could_not_be_measured_says_why(key: str, field: str, reason: str) -> None:
    report = BASE.model_copy(update={"cost": COST.model_copy(update={field: None}), "version": "3"})
    check = limit(report, **{key: 1})
    assert not check.passed
    assert reason in check.sentence
    assert "assay gate mail 3" in check.sentence


def test_calibration_of_no_rows_says_why_it_is_undefined() -> None:
    assert BASE.calibration is not None
    nothing = Interval(value=None, reason="rules decided every row")
    calibration = BASE.calibration.model_copy(update={"brier": nothing})
    check = limit(BASE.model_copy(update={"calibration": calibration}), max_brier=0.1)
    assert not check.passed
    assert "The Brier score is unknown (rules decided every row)" in check.sentence
