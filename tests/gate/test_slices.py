from collections.abc import Sequence
from typing import Any

import pytest

from assay.config import GatePolicy
from assay.evaluation import Report
from assay.gate import Check, SliceComparison
from assay.gate.pairing import Pair
from assay.gate.slices import check_slices, compare_slices
from tests.gate.reports import LABELS, report_on

TRUTH = [1, 0] * 50
SOURCE = ["web"] * 60 + ["app"] * 40


def decided(*wrong: int) -> list[int]:
    """Return decisions that are wrong on some rows."""
    return [1 - label if place in wrong else label for place, label in enumerate(TRUTH)]


def report(*wrong: int, source: Sequence[str] = SOURCE) -> Report:
    """Return the report of decisions that are wrong on some rows."""
    return report_on(TRUTH, decided(*wrong), groups={"source": source})


def judged(ours: Report, theirs: Report, **policy: Any) -> tuple[dict[str, Check], list[SliceComparison]]:
    """Return the checks of slices by name, and the slices."""
    asked = GatePolicy.model_validate({"slices": ("source",), **policy})
    pair = Pair.of(ours, theirs)
    slices = compare_slices(asked, pair)
    return {check.name: check for check in check_slices(asked, pair, slices)}, list(slices)


def test_a_fall_within_a_slice_blocks_though_the_whole_rises() -> None:
    checks, slices = judged(report(70), report(0, 1, 2))
    assert {name: check.passed for name, check in checks.items()} == {
        "source: app": False,
        "source: web": True,
    }
    failed = checks["source: app"]
    assert (failed.required, failed.observed) == (1.0, pytest.approx(38 / 39))
    assert failed.sentence == (
        "Within source: app (40 rows), F1 goes from 1.0000 to 0.9744; it may not fall within a slice."
    )
    assert checks["source: web"].sentence.endswith("; nothing compared falls within a slice.")
    assert [(each.value, each.comparison.rows, each.judged) for each in slices] == [
        ("app", 40, True),
        ("web", 60, True),
    ]


def test_slices_follow_the_rule_of_the_whole() -> None:
    ours, theirs = report(70), report()
    assert not judged(ours, theirs)[0]["source: app"].passed
    for policy, why in (
        ({"regression": "significant"}, "It is not lower by more than chance explains."),
        ({"max_regression": 0.05}, "Up to 0.05 lower is allowed."),
    ):
        check = judged(ours, theirs, **policy)[0]["source: app"]
        assert check.passed
        assert check.sentence == (f"Within source: app (40 rows), F1 goes from 1.0000 to 0.9744. {why}")


def test_a_fall_that_chance_does_not_explain_is_told_as_one() -> None:
    check = judged(report(*range(60, 80)), report(), regression="significant")[0]["source: app"]
    assert not check.passed
    assert check.sentence.endswith("; it may not fall by more than chance explains within a slice.")


def test_a_fall_that_is_allowed_is_told_before_what_does_not_fall() -> None:
    truth, theirs, ours = [1] * 10 + [0] * 30, [1] * 10 + [0] * 30, [1] * 9 + [0] * 31
    sides = [report_on(truth, side, groups={"source": ["web"] * 40}) for side in (ours, theirs)]
    [check] = judged(*sides, compared=("precision", "recall"), max_regression=0.2)[0].values()
    assert check.passed
    assert "recall goes from 1.0000 to 0.9000. Up to 0.2 lower is allowed." in check.sentence


def test_small_slices_are_kept_and_do_not_block() -> None:
    checks, slices = judged(report(70), report(), min_slice_rows=41)
    assert set(checks) == {"source: web"}
    assert [(each.value, each.judged) for each in slices] == [("app", False), ("web", True)]


def test_a_value_without_rows_is_no_slice() -> None:
    ours = report()
    assert ours.rowwise is not None
    more = ours.rowwise.groups["source"].model_copy(update={"values": ("app", "web", "post")})
    held = ours.rowwise.model_copy(update={"groups": {"source": more}})
    both = ours.model_copy(update={"rowwise": held})
    assert [each.value for each in judged(both, both)[1]] == ["app", "web"]


def test_a_metric_that_falls_is_shown_before_one_that_does_not() -> None:
    truth, theirs, ours = [1] * 10 + [0] * 30, [1] * 10 + [0] * 30, [1] * 9 + [0] * 31
    sides = [report_on(truth, side, groups={"source": ["web"] * 40}) for side in (ours, theirs)]
    checks, _ = judged(*sides, compared=("precision", "recall"))
    assert "recall goes from 1.0000 to 0.9000" in checks["source: web"].sentence


@pytest.mark.parametrize(("alarms", "passed"), [((0, 0), True), ((0, 1), False), ((1, 0), True)])
def test_accuracy_stands_in_where_nothing_else_is_defined(alarms: tuple[int, int], passed: bool) -> None:
    """A slice without spam has no recall; false alarms in it are a fall all the same."""
    sides = [
        report_on([0] * 40, [1] * number + [0] * (40 - number), groups={"source": ["web"] * 40})
        for number in reversed(alarms)
    ]
    checks, _ = judged(*sides, compared=("recall",))
    assert checks["source: web"].passed is passed
    assert "accuracy goes from" in checks["source: web"].sentence


def test_a_metric_that_one_side_lacks_is_left_out() -> None:
    truth = [0] * 40
    theirs, ours = [1] + [0] * 39, [0] * 40
    sides = [report_on(truth, side, groups={"source": ["web"] * 40}) for side in (ours, theirs)]
    checks, _ = judged(*sides)
    assert checks["source: web"].passed
    assert "accuracy goes from 0.9750 to 1.0000" in checks["source: web"].sentence


def test_a_column_that_is_not_sliced_by_fails_and_names_those_that_are() -> None:
    checks, slices = judged(report(), report(), slices=("country", "source"))
    assert not checks["country"].passed
    assert "not sliced by 'country', which gate.slices names; they are by ['source']" in (
        checks["country"].sentence
    )
    assert {each.by for each in slices} == {"source"}


def test_slices_of_a_version_s_own_doing_cannot_be_compared() -> None:
    ours = report()
    assert ours.rowwise is not None
    own = ours.rowwise.groups["source"].model_copy(update={"comparable": False})
    held = ours.rowwise.model_copy(update={"groups": {"decided by": own}})
    both = ours.model_copy(update={"rowwise": held})
    checks, slices = judged(both, both, slices=("decided by",))
    assert not checks["decided by"].passed
    assert "each version's own doing" in checks["decided by"].sentence
    assert slices == []
    assert "they are by []" in judged(both, both)[0]["source"].sentence


def test_reports_that_are_sliced_differently_cannot_be_compared() -> None:
    checks, slices = judged(report(), report(source=["app", *SOURCE[1:]]))
    assert not checks["source"].passed
    assert "not alike" in checks["source"].sentence
    assert slices == []


def test_slices_of_labels_in_another_order_are_compared_as_the_whole() -> None:
    ours = report(70)
    turned = report_on(
        [1 - label for label in TRUTH], [1 - label for label in decided(0)], LABELS[::-1],
        groups={"source": SOURCE},
    ).model_copy(update={"positive": "spam"})  # fmt: skip
    assert judged(ours, turned) == judged(ours, report(0))
