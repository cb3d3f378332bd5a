from hypothesis import given as drawn
from hypothesis import strategies as st

from assay.evaluation import Interval
from assay.gate.sentences import exact, gate_again, in_production, metric_name, opening, shown, with_interval
from tests.gate.reports import given, report_on

TWO = report_on(*given(8, 2, 1, 9))
THREE = report_on([0, 1, 2], [0, 1, 1], ("a", "b", "c"))


def test_metrics_are_named_as_the_report_means_them() -> None:
    assert metric_name("f1", TWO) == "F1 of 'spam'"
    assert metric_name("accuracy", TWO) == metric_name("accuracy", THREE) == "accuracy"
    assert opening(metric_name("precision", THREE)) == "Macro precision"


def test_versions_are_named_where_they_have_a_number() -> None:
    assert in_production("6") == "version 6 in production"
    assert in_production("") == "the version in production"
    assert gate_again(TWO) == "assay gate mail 7"


@drawn(st.floats(0, 1), st.floats(0, 1))
def test_two_numbers_that_differ_are_shown_to_differ(one: float, other: float) -> None:
    same = shown(one, against=other) == shown(other, against=one)
    assert same == (one == other)


def test_a_number_is_shown_in_four_digits_where_these_tell_enough() -> None:
    assert shown(0.9, against=0.85) == shown(0.9, against=0.9) == "0.9000"
    assert shown(0.33333333333333326, against=1 / 3) == "0.33333333333333326"


def test_a_value_without_bounds_has_no_interval() -> None:
    assert with_interval(TWO, Interval(value=0.5), against=0.4) == "0.5000"
    assert with_interval(TWO, Interval(value=0.5, low=0.25, high=0.75), against=0.4) == (
        "0.5000 (95 % interval 0.2500 to 0.7500)"
    )


@drawn(st.floats(0, 1), st.floats(0, 1))
def test_exact_numbers_are_ordered_as_floats_are(one: float, other: float) -> None:
    assert (exact(one) < exact(other)) == (one < other)
