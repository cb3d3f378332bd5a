from assay.config import GatePolicy, MustPass
from assay.evaluation import MustPassCase
from assay.gate import GateDecision, decide_gate, terms_of
from assay.gate.must_pass import check_must_pass
from tests.gate.reports import given, report_on

BASE = report_on(*given(8, 2, 1, 9))


def case(text: str, *, passed: bool) -> MustPassCase:
    """Return a case of spam."""
    decided = "spam" if passed else "ham"
    return MustPassCase(
        text=text, label="spam", decided=decided, decided_by="model", confidence=0.9, passed=passed
    )


def test_without_texts_that_must_pass_there_is_no_check() -> None:
    assert list(check_must_pass(BASE)) == []


def test_texts_that_all_pass_are_counted() -> None:
    cases = tuple(case(f"text {number}", passed=True) for number in range(3))
    [check] = check_must_pass(BASE.model_copy(update={"must_pass": cases}))
    assert (check.passed, check.observed, check.required) == (True, 3, 3)
    assert check.sentence == "All 3 texts that must pass are decided rightly."


def test_failures_are_named_and_long_texts_cut() -> None:
    cases = (case("fine", passed=True), case("win a prize", passed=False), case("x" * 61, passed=False))
    [check] = check_must_pass(BASE.model_copy(update={"must_pass": cases}))
    assert (check.passed, check.observed, check.required) == (False, 1, 3)
    assert check.sentence == (
        "2 of the 3 texts that must pass do not: 'win a prize' is decided 'ham' instead of 'spam'; "
        f"'{'x' * 57}...' is decided 'ham' instead of 'spam'."
    )


def test_many_failures_are_counted_after_the_first_three() -> None:
    cases = tuple(case(f"text {number}", passed=False) for number in range(5))
    [check] = check_must_pass(BASE.model_copy(update={"must_pass": cases}))
    assert "'text 2'" in check.sentence
    assert check.sentence.endswith("instead of 'spam'; and 2 more.")


def test_a_decision_keeps_what_was_asked() -> None:
    policy, asked = GatePolicy(), (MustPass(text="win a prize", label="spam"),)
    report = BASE.model_copy(update={"must_pass": (case("win a prize", passed=False),)})
    decision = decide_gate(policy, report, None)
    assert decision.terms() == terms_of(policy, asked) != terms_of(policy, ())
    assert GateDecision.from_dict(decision.to_dict()).terms() == decision.terms()
