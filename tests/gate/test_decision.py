import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import GatePolicy
from assay.evaluation import Interval, Report
from assay.exceptions import ArtifactError
from assay.gate import GateDecision, decide_gate
from tests.evaluation.made_up import random_report, report_of

BASE = random_report(200, ["ham", "spam"])
OPEN = GatePolicy(min_f1=0, min_accuracy=0)


def with_metrics(report: Report = BASE, **values: float | None) -> Report:
    """Return a report with other values of metrics; None is undefined."""
    intervals = {
        name: Interval(value=value) if value is not None else Interval(value=None, reason="there are no rows")
        for name, value in values.items()
    }
    return report.model_copy(update={"metrics": {**report.metrics, **intervals}})


def checks_of(decision: GateDecision) -> dict[str, bool]:
    return {check.name: check.passed for check in decision.checks}


shares = st.floats(0, 1)


@given(shares, shares, shares, shares)
def test_without_a_champion_both_floors_decide(
    f1: float, accuracy: float, min_f1: float, min_a: float
) -> None:
    policy = GatePolicy(min_f1=min_f1, min_accuracy=min_a)
    decision = decide_gate(policy, with_metrics(f1=f1, accuracy=accuracy), None)
    assert checks_of(decision) == {"rows": True, "accuracy": accuracy >= min_a, "f1": f1 >= min_f1}
    assert decision.passed == (f1 >= min_f1 and accuracy >= min_a)
    assert decision.champion_version is None


@given(shares, shares, shares)
def test_with_a_champion_f1_must_not_be_lower(ours: float, theirs: float, floor: float) -> None:
    decision = decide_gate(GatePolicy(min_f1=floor), with_metrics(f1=ours), with_metrics(f1=theirs))
    assert checks_of(decision)["f1_production"] == (ours >= theirs)
    assert decision.passed == (ours >= theirs and ours >= floor)


@given(shares, shares, shares, shares)
def test_a_higher_f1_never_turns_passed_into_blocked(
    one: float, two: float, theirs: float, floor: float
) -> None:
    policy, champion = GatePolicy(min_f1=floor), with_metrics(f1=theirs)
    lower, higher = (decide_gate(policy, with_metrics(f1=f1), champion) for f1 in sorted((one, two)))
    assert higher.passed >= lower.passed


def fault(name: str) -> tuple[GatePolicy, Report, Report]:
    """Return what makes one check fail and no other."""
    policy = GatePolicy(min_f1=0.6, min_accuracy=0.6)
    ours = theirs = with_metrics(f1=0.7, accuracy=0.7)
    match name:
        case "accuracy":
            ours = with_metrics(f1=0.7, accuracy=0.5)
        case "f1":
            ours, theirs = with_metrics(f1=0.5, accuracy=0.7), with_metrics(f1=0.5)
        case "labels":
            theirs = theirs.model_copy(update={"positive": "ham"})
        case "same_rows":
            theirs = theirs.model_copy(update={"rows_fingerprint": "0" * 64})
        case "f1_production":
            theirs = with_metrics(f1=0.71)
        case "rows":
            ours = ours.model_copy(update={"rows": 0})
    return policy, ours, theirs


@pytest.mark.parametrize("name", ["rows", "accuracy", "f1", "labels", "same_rows", "f1_production"])
def test_each_check_alone_blocks(name: str) -> None:
    assert decide_gate(*fault("none")).passed
    decision = decide_gate(*fault(name))
    assert not decision.passed
    assert [check.name for check in decision.checks if not check.passed] == [name]
    assert decision.reasons() == [check.sentence for check in decision.checks if check.name == name]


def test_the_same_decisions_pass_against_themselves() -> None:
    decision = decide_gate(OPEN, BASE, BASE)
    assert decision.passed
    assert "this equals the" in decision.checks[-1].sentence


def test_f1_is_compared_to_the_last_digit() -> None:
    third = 1 / 3
    just_below = third - 1e-16
    assert just_below < third
    blocked = decide_gate(OPEN, with_metrics(f1=just_below), with_metrics(f1=third))
    assert not blocked.passed
    assert "0.3333333333333332" in blocked.reasons()[0]


def test_a_floor_is_shown_apart_from_what_misses_it_by_little() -> None:
    (reason,) = decide_gate(GatePolicy(min_f1=0.85), with_metrics(f1=0.849996), None).reasons()
    assert reason == "F1 of 'spam' is 0.849996 and is below the floor of 0.85."


def test_an_empty_test_set_blocks() -> None:
    decision = decide_gate(OPEN, report_of([], []), None)
    assert checks_of(decision) == {"rows": False, "accuracy": False, "f1": False}
    assert "There are no held-out rows to judge by" in decision.reasons()[0]


@pytest.mark.parametrize("champion", [None, with_metrics(f1=None), with_metrics(f1=0.0)])
def test_an_undefined_f1_never_passes(champion: Report | None) -> None:
    decision = decide_gate(OPEN, with_metrics(f1=None), champion)
    assert not decision.passed
    assert "F1 of 'spam' is undefined (there are no rows)" in decision.reasons()[0]


def test_a_champion_without_f1_blocks_since_nothing_can_be_compared() -> None:
    decision = decide_gate(OPEN, BASE, with_metrics(f1=None))
    assert [check.name for check in decision.checks if not check.passed] == ["f1_production"]
    assert "F1 of 'spam' of version 7 in production is undefined" in decision.reasons()[0]


def test_a_real_report_without_the_positive_label_blocks() -> None:
    assert not decide_gate(OPEN, report_of(["ham"] * 5, [[0.9, 0.1]] * 5), None).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows_fingerprint": "0" * 64}, "in production on 000000000000"),
        ({"labels": ("ham", "eggs")}, "in production between 'eggs', 'ham'"),
        ({"positive": "ham"}, "in production between 'ham', 'spam' (positive: 'ham')"),
    ],
)
def test_reports_that_cannot_be_compared_block_with_a_check(change: dict[str, Any], message: str) -> None:
    decision = decide_gate(OPEN, BASE, BASE.model_copy(update=change))
    assert "f1_production" not in checks_of(decision)
    assert message in decision.reasons()[0]


def test_the_order_of_labels_does_not_matter() -> None:
    assert decide_gate(OPEN, BASE, BASE.model_copy(update={"labels": ("spam", "ham")})).passed


def test_more_labels_are_judged_by_macro_f1() -> None:
    report = random_report(200, ["a", "b", "c"])
    decision = decide_gate(GatePolicy(min_f1=0.99), report, report)
    assert decision.reasons()[0].startswith("Macro F1 is ")
    assert decision.checks[2].observed == report.metrics["macro_f1"].value


def test_every_check_says_what_was_observed_and_required() -> None:
    decision = decide_gate(GatePolicy(min_f1=0.8, min_accuracy=0.7), BASE, BASE)
    found = {check.name: (check.observed, check.required) for check in decision.checks}
    f1, accuracy = BASE.metrics["f1"], BASE.metrics["accuracy"]
    both = "'ham', 'spam' (positive: 'spam')"
    assert found == {
        "rows": (200, 1),
        "accuracy": (accuracy.value, 0.7),
        "f1": (f1.value, 0.8),
        "labels": (both, both),
        "same_rows": (BASE.rows_fingerprint,) * 2,
        "f1_production": (f1.value, f1.value),
    }
    assert f"(95 % interval {f1.low:.4f} to {f1.high:.4f})" in decision.checks[2].sentence


def test_a_decision_names_its_rows_and_versions() -> None:
    champion = BASE.model_copy(update={"version": "6"})
    decision = decide_gate(OPEN, BASE.model_copy(update={"digest": "d" * 64}), champion)
    assert decision.rows_fingerprint == BASE.rows_fingerprint
    assert (decision.candidate_version, decision.candidate_digest) == ("7", "d" * 64)
    assert decision.champion_version == "6"
    assert "of version 6 in production." in decision.checks[-1].sentence


def test_lines_tell_the_outcome_first() -> None:
    lines = decide_gate(GatePolicy(min_f1=0.99), BASE, None).lines()
    assert lines[0] == "Gate blocked"
    assert [line[:8] for line in lines[1:]] == ["  ok    ", "  ok    ", "  FAIL  "]
    assert decide_gate(OPEN, BASE, None).lines()[0] == "Gate passed"


@pytest.mark.parametrize("floor", [0.0, 0.99])
def test_a_decision_survives_json(floor: float) -> None:
    decision = decide_gate(GatePolicy(min_f1=floor), BASE, BASE)
    assert GateDecision.from_dict(json.loads(json.dumps(decision.to_dict(), allow_nan=False))) == decision


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passed": True}, "passed must say whether there are checks and all of them passed"),
        ({"passed": True, "checks": []}, "passed must say whether there are checks"),
        ({"surprise": 1}, "surprise: is not a key that exists here"),
        ({"rows_fingerprint": None}, "rows_fingerprint: "),
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    blocked = decide_gate(GatePolicy(min_f1=0.99), BASE, None).to_dict()
    with pytest.raises(ArtifactError, match=message):
        GateDecision.from_dict(blocked | change)
