import re
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from assay.config import GatePolicy, LabelFloors
from assay.evaluation import Cost, Leakage, MustPassCase, Report
from assay.gate import GateDecision, Unjudged, decide_gate
from tests.contracts.sources import ROOT
from tests.gate.reports import given, report_on

TRUTH = [0, 1] * 30
GROUPS = {"length": ["short"] * 40 + ["long"] * 20}
COST = Cost(
    machine="m", texts=9, median_ms=1, p99_ms=2.5, load_ms=1, memory_bytes=20_000_000, size_bytes=4_000_000
)
PASSED = MustPassCase(
    text="free", label="spam", decided="spam", decided_by="model", confidence=0.9, passed=True
)
FAILED = PASSED.model_copy(update={"decided": "ham", "passed": False})
POLICY = GatePolicy(
    min_f1=0.5,
    min_accuracy=0.5,
    labels={"spam": LabelFloors(min_recall=0.5, min_precision=0.5)},
    compared=("f1", "accuracy", "precision", "recall"),
    slices=("length",),
    min_slice_rows=20,
    max_brier=0.5,
    max_ece=0.5,
    max_latency_ms=2.5,
    max_memory_mb=20,
    max_size_mb=4,
    max_flips=0.1,
)


def flipped(*rows: int) -> list[int]:
    """Return decisions that are wrong on some rows and right on the others."""
    return [1 - label if place in rows else label for place, label in enumerate(TRUTH)]


def report(*wrong: int, **changes: Any) -> Report:
    """Return a report that is wrong on some rows and has every figure that the policy asks for."""
    leakage = Leakage(rows=60, seen=0, near=None)
    more = {"cost": COST, "leakage": leakage, "must_pass": (PASSED,), **changes}
    return report_on(TRUTH, flipped(*wrong), groups=GROUPS, **more)


CHAMPION = report(0, 1, 2, 3, version="6")
CANDIDATE = report(0, 1, 2, 3)


def names_of(decision: GateDecision, *, passed: bool) -> list[str]:
    """Return the names of the checks that passed, or of those that failed."""
    return [check.name for check in decision.checks if check.passed is passed]


def cost(**changes: Any) -> Report:
    """Return the candidate's report with another cost."""
    return CANDIDATE.model_copy(update={"cost": COST.model_copy(update=changes)})


def policy(**changes: Any) -> GatePolicy:
    """Return the policy with other values."""
    return POLICY.model_copy(update=changes)


SEEN = Leakage(rows=60, seen=1, near=None)
ALONE: dict[str, Callable[[], tuple[GatePolicy, Report, Report | Unjudged]]] = {
    "rows": lambda: (policy(min_rows=61), CANDIDATE, CHAMPION),
    "accuracy": lambda: (policy(min_accuracy=0.95), CANDIDATE, CHAMPION),
    "f1": lambda: (policy(min_f1=0.95), CANDIDATE, CHAMPION),
    "spam/recall": lambda: (policy(labels={"spam": LabelFloors(min_recall=0.95)}), CANDIDATE, CHAMPION),
    "ham/f1": lambda: (policy(labels={"ham": LabelFloors(min_f1=0.95)}), CANDIDATE, CHAMPION),
    "ham/precision": lambda: (policy(labels={"ham": LabelFloors(min_precision=1)}), CANDIDATE, CHAMPION),
    "brier": lambda: (policy(max_brier=0.01), CANDIDATE, CHAMPION),
    "ece": lambda: (policy(max_ece=0.0), CANDIDATE, CHAMPION),
    "latency": lambda: (POLICY, cost(p99_ms=2.50001), CHAMPION),
    "memory": lambda: (POLICY, cost(memory_bytes=20_000_001), CHAMPION),
    "size": lambda: (POLICY, cost(size_bytes=4_000_001), CHAMPION),
    "must_pass": lambda: (POLICY, report(0, 1, 2, 3, must_pass=(PASSED, FAILED)), CHAMPION),
    "unseen": lambda: (POLICY, report(0, 1, 2, 3, leakage=SEEN), CHAMPION),
    "unseen_production": lambda: (POLICY, CANDIDATE, report(0, 1, 2, 3, leakage=SEEN)),
    "champion": lambda: (POLICY, CANDIDATE, Unjudged(version="6", reason="its artifact is gone")),
    "labels": lambda: (POLICY, CANDIDATE, CHAMPION.model_copy(update={"positive": "ham"})),
    "same_rows": lambda: (POLICY, CANDIDATE, CHAMPION.model_copy(update={"rows_fingerprint": "0" * 64})),
    "paired": lambda: (POLICY, CANDIDATE, CHAMPION.model_copy(update={"rowwise": None})),
    "f1_production": lambda: (policy(slices=(), compared=("f1",)), CANDIDATE, report(0, 1, 2)),
    "accuracy_production": lambda: (policy(slices=(), compared=("accuracy",)), CANDIDATE, report(0, 1, 2)),
    "precision_production": lambda: (policy(slices=(), compared=("precision",)), CANDIDATE, report(1, 3)),
    "recall_production": lambda: (policy(slices=(), compared=("recall",)), CANDIDATE, report(0, 2)),
    "length: short": lambda: (POLICY, report(0, 1, 2, 3), report(0, 1, 50, 51)),
    "flips": lambda: (policy(max_flips=0.0), CANDIDATE, report(4, 5, 6, 7)),
}  # fmt: skip


def test_a_candidate_that_decides_as_production_does_passes_every_check() -> None:
    decision = decide_gate(POLICY, CANDIDATE, CHAMPION)
    assert decision.passed
    assert decision.reasons() == []
    absent = {"champion", "paired", "ham/f1", "ham/precision"}
    assert {*names_of(decision, passed=True)} == {*ALONE, "spam/precision", "length: long"} - absent


@pytest.mark.parametrize("name", ALONE)
def test_each_check_alone_blocks(name: str) -> None:
    decision = decide_gate(*ALONE[name]())
    assert names_of(decision, passed=False) == [name]
    assert not decision.passed
    assert decision.reasons() == [check.sentence for check in decision.checks if check.name == name]


@pytest.mark.parametrize("name", ALONE)
def test_a_decision_survives_json(name: str) -> None:
    decision = decide_gate(*ALONE[name]())
    again = GateDecision.model_validate_json(decision.model_dump_json())
    assert again == decision == GateDecision.from_dict(decision.to_dict())
    assert again.policy == ALONE[name]()[0]


def test_a_policy_that_asks_for_little_gives_few_checks() -> None:
    plain = report_on(TRUTH, TRUTH, leakage=None)
    decision = decide_gate(GatePolicy(compared=()), plain, plain)
    assert names_of(decision, passed=True) == ["rows", "accuracy", "f1", "labels", "same_rows"]


def test_without_a_champion_nothing_is_compared() -> None:
    decision = decide_gate(POLICY, CANDIDATE, None)
    assert decision.passed
    assert (decision.champion_version, decision.comparison, decision.slices) == (None, None, ())
    assert not [name for name in names_of(decision, passed=True) if "production" in name or ":" in name]


def test_an_empty_test_set_blocks() -> None:
    empty = report_on([], [])
    decision = decide_gate(GatePolicy(min_f1=0, slices=()), empty, empty)
    failed = ["rows", "accuracy", "f1", "f1_production", "accuracy_production"]
    assert names_of(decision, passed=False) == failed
    assert decision.reasons()[0].startswith("There are no held-out rows to judge by; at least 20 are needed.")


def test_a_version_in_production_that_cannot_be_scored_blocks_and_is_named() -> None:
    decision = decide_gate(POLICY, CANDIDATE, Unjudged(version="6", reason="its artifact is damaged"))
    assert decision.champion_version == "6"
    [reason] = decision.reasons()
    assert reason.startswith("Version 6 in production could not be judged on these rows (its artifact is dam")
    assert "assay rollback" in reason


def test_a_decision_names_its_rows_versions_and_evidence() -> None:
    decision = decide_gate(POLICY, report(0, digest="d" * 64), CHAMPION)
    assert decision.rows_fingerprint == CANDIDATE.rows_fingerprint
    assert (decision.candidate_version, decision.candidate_digest) == ("7", "d" * 64)
    assert decision.champion_version == "6"
    assert decision.comparison is not None
    assert (decision.comparison.first_only, decision.comparison.second_only) == (0, 3)
    assert {each.value: each.comparison.rows for each in decision.slices} == {"long": 20, "short": 40}


def test_reports_that_cannot_be_paired_still_show_that_production_saw_the_rows() -> None:
    seen = CHAMPION.model_copy(update={"rows_fingerprint": "0" * 64, "leakage": SEEN})
    decision = decide_gate(POLICY, CANDIDATE, seen)
    assert names_of(decision, passed=False) == ["same_rows", "unseen_production"]
    assert decision.comparison is None


@st.composite
def superset(draw: st.DrawFn, labels: int) -> tuple[list[int], list[int], list[int], list[str]]:
    """Draw truth, decisions, decisions that are right on these rows and more, and a column."""
    rows = draw(st.integers(3, 25))
    numbers = st.lists(st.integers(0, labels - 1), min_size=rows, max_size=rows)
    truth, champion = draw(numbers), draw(numbers)
    mended = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    column = draw(st.lists(st.sampled_from("ab"), min_size=rows, max_size=rows))
    candidate = [t if mend else c for t, c, mend in zip(truth, champion, mended, strict=True)]
    truth[0] = champion[0] = candidate[0] = labels - 1  # what is compared is defined
    return truth, champion, candidate, column


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("rule", ["point", "significant"])
@settings(max_examples=40)
@drawn(data=st.data())
def test_who_is_right_wherever_production_is_passes_every_comparison(
    rule: str, labels: int, data: st.DataObject
) -> None:
    truth, champion, candidate, column = data.draw(superset(labels))
    lenient = GatePolicy(
        min_rows=1,
        min_f1=0,
        compared=("f1", "accuracy", "precision", "recall"),
        regression=rule,
        slices=("column",),
        min_slice_rows=1,
    )
    names = ("ham", "eggs", "spam")[-labels:]
    better, worse = (
        report_on(truth, side, names, groups={"column": column}) for side in (candidate, champion)
    )
    assert decide_gate(lenient, better, worse).reasons() == []


@settings(max_examples=40)
@drawn(st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, ours, theirs = rng.integers(0, 2, (3, 30))
    column = np.array(["a", "b"])[rng.integers(0, 2, 30)]
    strict = GatePolicy(min_f1=0.6, slices=("column",), min_slice_rows=5, max_flips=0.5)

    def decision(order: np.ndarray) -> GateDecision:
        groups = {"column": column[order].tolist()}
        sides = (report_on(truth[order], side[order], names=order, groups=groups) for side in (ours, theirs))
        return decide_gate(strict, *sides)

    shuffled = decision(rng.permutation(30))
    straight = decision(np.arange(30))
    # The bootstrap of a report itself draws rows by their place: intervals beside floors may move.
    moving = {"accuracy", "f1"}
    assert [check for check in shuffled.checks if check.name not in moving] == [
        check for check in straight.checks if check.name not in moving
    ]
    assert names_of(shuffled, passed=False) == names_of(straight, passed=False)
    assert (shuffled.comparison, shuffled.slices) == (straight.comparison, straight.slices)


@settings(max_examples=40)
@drawn(st.data())
def test_more_rows_right_never_turns_passed_into_blocked(data: st.DataObject) -> None:
    truth, lower, higher, _ = data.draw(superset(2))
    champion = report_on(truth, data.draw(st.permutations(lower)))
    floors = GatePolicy(min_rows=1, min_f1=0.4, min_accuracy=0.4)
    before, after = (decide_gate(floors, report_on(truth, side), champion) for side in (lower, higher))
    assert after.passed >= before.passed


def test_every_check_is_documented() -> None:
    page = (ROOT / "docs/reference/gate.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(.*?)`", row)}
    general = {"spam/recall": "LABEL/recall", "ham/f1": "LABEL/f1", "ham/precision": "LABEL/precision"}
    assert {general.get(name, re.sub("^.*: .*", "COLUMN: VALUE", name)) for name in ALONE} <= listed
    assert {*GateDecision.model_fields} - {"checks"} <= listed


def test_the_policy_shown_in_the_documentation_can_be_used() -> None:
    page = (ROOT / "docs/reference/gate.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert GatePolicy.model_validate(tomllib.loads(shown)["gate"]).slices == ("length",)


def test_a_real_report_without_the_positive_label_blocks() -> None:
    assert not decide_gate(GatePolicy(min_f1=0), report_on(*given(0, 0, 0, 30)), None).passed
