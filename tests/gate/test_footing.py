from typing import Any

import pytest

from assay.evaluation import Leakage
from assay.gate.footing import check_champion, check_footing, check_unseen
from tests.gate.reports import given, report_on

BASE = report_on(*given(80, 20, 10, 90))


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({"rows_fingerprint": "0" * 64}, "same_rows", "in production on 000000000000"),
        ({"labels": ("ham", "eggs")}, "labels", "in production between 'eggs', 'ham'"),
        ({"positive": "ham"}, "labels", "in production between 'ham', 'spam' (positive: 'ham')"),
        ({"rowwise": None}, "paired", "The report of version 7 in production does not hold its rows"),
    ],
)
def test_reports_that_cannot_be_compared_fail_a_check(
    change: dict[str, Any], name: str, message: str
) -> None:
    [check] = [each for each in check_footing(BASE, BASE.model_copy(update=change)) if not each.passed]
    assert check.name == name
    assert message in check.sentence


def test_both_reports_without_rows_are_named() -> None:
    bare = BASE.model_copy(update={"rowwise": None, "version": ""})
    check = check_footing(bare, bare)[-1]
    assert not check.passed
    assert "The report of the candidate and that of the version in production does not hold" in check.sentence


def test_reports_that_disagree_about_the_truth_are_not_paired() -> None:
    other = report_on(*given(81, 19, 10, 90)).model_copy(update={"rows_fingerprint": BASE.rows_fingerprint})
    assert all(check.passed for check in check_footing(BASE, other))
    other = report_on(*given(80, 21, 10, 89)).model_copy(update={"rows_fingerprint": BASE.rows_fingerprint})
    check = check_footing(BASE, other)[-1]
    assert (check.name, check.passed) == ("paired", False)
    assert "do not agree what is true of them" in check.sentence
    assert check.sentence.endswith("Judge both again: assay gate mail 7.")


def test_reports_of_other_lengths_are_not_paired() -> None:
    other = report_on(*given(80, 20, 10, 91)).model_copy(update={"rows_fingerprint": BASE.rows_fingerprint})
    assert check_footing(BASE, other)[-1].name == "paired"


def test_the_order_of_labels_does_not_matter() -> None:
    truth, decided = given(80, 20, 10, 90)
    other = report_on([1 - label for label in truth], [1 - label for label in decided], ("spam", "ham"))
    checks = check_footing(BASE, other.model_copy(update={"positive": "spam"}))
    assert [check.name for check in checks] == ["labels", "same_rows"]
    assert all(check.passed for check in checks)


@pytest.mark.parametrize(
    ("seen", "passed", "sentence"),
    [
        (0, True, "The candidate was trained on none of these rows."),
        (None, True, "Whether the candidate was trained on these rows is unknown: it does not say."),
        (3, False, "The candidate was trained on 3 of these 200 rows, so they cannot judge it."),
    ],
)
def test_a_version_may_not_have_seen_the_rows(seen: int | None, passed: bool, sentence: str) -> None:
    report = BASE.model_copy(update={"leakage": Leakage(rows=200, seen=seen, near=9)})
    [check] = check_unseen(report, "unseen", "The candidate")
    assert (check.name, check.observed, check.required, check.passed) == ("unseen", seen, 0, passed)
    assert check.sentence.startswith(sentence)


def test_a_report_without_leakage_has_no_such_check() -> None:
    assert list(check_unseen(BASE.model_copy(update={"leakage": None}), "unseen", "The candidate")) == []


def test_a_version_that_could_not_be_judged_has_its_reason() -> None:
    check = check_champion("", "Its artifact is gone.")
    assert not check.passed
    assert check.observed == "Its artifact is gone."
    assert check.sentence.startswith(
        "The version in production could not be judged on these rows (Its artifact is gone), so nothing shows"
    )
