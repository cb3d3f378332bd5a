from assay.config import MAX_TEXT_BYTES, MustPass
from assay.estimators import Cascade
from assay.evaluation.behaviour import check_must_pass


def test_each_text_is_decided_and_told_with_what_decided_it(ruled_cascade: Cascade) -> None:
    cases = [
        MustPass(text="a cash prize, call for it", label="spam"),
        MustPass(text="lunch tomorrow, love mum", label="ham"),
        MustPass(text="lunch tomorrow, love mum", label="spam"),
    ]
    found = check_must_pass(ruled_cascade, cases)
    decisions = ruled_cascade.decide([case.text for case in cases])
    assert [case.passed for case in found] == [True, True, False]
    assert [(case.text, case.label) for case in found] == [(case.text, case.label) for case in cases]
    for case, decision in zip(found, decisions, strict=True):
        told = (decision.label, decision.decided_by, decision.confidence)
        assert (case.decided, case.decided_by, case.confidence) == told
    assert found[0].decided_by == "rule"


def test_a_text_that_cannot_be_scored_fails_with_the_reason(spam_cascade: Cascade) -> None:
    texts = [" \n", "see you at home", "é" * (MAX_TEXT_BYTES // 2 + 1)]
    blank, fine, long = check_must_pass(spam_cascade, [MustPass(text=text, label="ham") for text in texts])
    assert (blank.passed, fine.passed, long.passed) == (False, True, False)
    assert blank.decided == "cannot be scored: it is empty"
    assert long.decided == "cannot be scored: it has 65,538 bytes of UTF-8; at most 65,536 are allowed"
    assert (blank.decided_by, blank.confidence, fine.decided) == ("", 0.0, "ham")


def test_a_label_that_the_version_does_not_know_fails(spam_cascade: Cascade) -> None:
    [case] = check_must_pass(spam_cascade, [MustPass(text="see you at home", label="wanted")])
    assert (case.passed, case.decided) == (False, "ham")


def test_no_texts_are_no_cases(spam_cascade: Cascade) -> None:
    assert check_must_pass(spam_cascade, []) == ()
