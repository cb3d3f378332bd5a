import pytest

from assay.gate.pairing import Pair, same_truth
from tests.gate.reports import given, report_on

BASE = report_on(*given(8, 2, 1, 9))


def test_the_version_in_production_comes_first() -> None:
    better = report_on(*given(10, 0, 1, 9))
    found = Pair.of(better, BASE).compare()
    assert (found.first_only, found.second_only) == (0, 2)
    assert found.f1.change.value > 0


def test_labels_in_another_order_are_brought_into_the_candidate_s() -> None:
    truth, decided = given(8, 2, 1, 9)
    turned = report_on([1 - label for label in truth], [1 - label for label in decided], ("spam", "ham"))
    turned = turned.model_copy(update={"positive": "spam"})
    assert same_truth(BASE, turned)
    pair = Pair.of(BASE, turned)
    assert (pair.champion == pair.candidate).all()
    assert Pair.of(turned, BASE).compare() == Pair.of(BASE, BASE).compare()


def test_more_labels_are_compared_by_their_mean() -> None:
    assert Pair.of(BASE, BASE).positive == 1
    three = report_on([0, 1, 2], [0, 1, 1], ("a", "b", "c"))
    assert Pair.of(three, three).positive is None


def test_reports_without_rows_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="only reports that hold their rows"):
        Pair.of(BASE, BASE.model_copy(update={"rowwise": None}))
