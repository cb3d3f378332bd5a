from typing import Any

import pytest

from assay.config import GatePolicy
from assay.estimators import QuantizationCost
from assay.gate import decide_gate
from assay.gate.check import Check
from assay.gate.quantization import check_quantization
from tests.gate.reports import given, report_on

BASE = report_on(*given(80, 20, 10, 90))


def cost(flips: int = 0, f1: float = 0.9) -> QuantizationCost:
    """Return the cost of a network whose F1 was 0.9 before, on 1,000 rows."""
    before = {"f1": 0.9, "accuracy": 0.9, "size_bytes": 4_000_000}
    return QuantizationCost.model_validate(
        {
            "rows": 1000,
            "fp32": before,
            "int8": before | {"f1": f1, "size_bytes": 1_000_000},
            "flips": flips,
            "mean_difference": 0.001,
            "largest_difference": 0.1,
        }
    )


def check(found: QuantizationCost, **policy: Any) -> Check:
    """Return the one check of a quantized candidate."""
    report = BASE.model_copy(update={"quantization": found})
    [only] = check_quantization(GatePolicy.model_validate(policy), report)
    return only


def test_a_candidate_that_is_not_quantized_has_no_such_check() -> None:
    assert list(check_quantization(GatePolicy(max_quantization_flips=0), BASE)) == []


@pytest.mark.parametrize(("flips", "passed"), [(0, True), (10, True), (11, False)])
def test_one_decision_in_a_hundred_may_change(flips: int, passed: bool) -> None:
    found = check(cost(flips))
    assert (found.name, found.passed) == ("int8", passed)
    assert (found.observed, found.required) == (flips / 1000, 0.01)


@pytest.mark.parametrize(("f1", "passed"), [(0.95, True), (0.895, True), (0.8949, False)])
def test_f1_may_fall_by_half_a_point_as_people_read_it(f1: float, passed: bool) -> None:
    found = check(cost(f1=f1))
    assert found.passed is passed
    if not passed:
        assert (found.observed, found.required) == (0.0051, 0.005)


def test_the_policy_sets_both_limits() -> None:
    assert check(cost(20, 0.88), max_quantization_flips=0.02, max_quantization_loss=0.02).passed
    assert not check(cost(1), max_quantization_flips=0).passed
    assert not check(cost(f1=0.8999), max_quantization_loss=0).passed


def test_the_sentence_says_what_it_cost_and_what_to_do() -> None:
    assert check(cost(3, 0.899)).sentence == (
        "Quantization to int8 changes 3 of 1,000 decisions on the validation rows (0.3 %; at most 1 % may), "
        "and F1 of 'spam' goes from 0.9000 to 0.8990 (a loss of up to 0.005 is allowed)."
    )
    assert check(cost(30)).sentence.endswith(
        "Train with quantize = 'none', or allow more with the gate.max_quantization keys."
    )


def test_it_blocks_a_candidate() -> None:
    policy = GatePolicy(min_f1=0.5)
    assert decide_gate(policy, BASE, None).passed
    dear = BASE.model_copy(update={"quantization": cost(11)})
    decision = decide_gate(policy, dear, None)
    assert [each.name for each in decision.checks if not each.passed] == ["int8"]
