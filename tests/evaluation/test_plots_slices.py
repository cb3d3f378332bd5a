import struct

import pytest

from assay.evaluation.intervals import Interval
from assay.evaluation.plots import draw
from assay.evaluation.slices import Slice
from tests.evaluation.made_up import random_report, report_of

REPORT = random_report(120, ["ham", "spam"])
NONE = Interval(value=None, reason="none has the label")


def one(by: str, value: str, f1: Interval | None = None, accuracy: Interval | None = None) -> Slice:
    figure = Interval(value=0.9, low=0.8, high=0.95)
    return Slice(by=by, value=value, rows=40, positives=20, accuracy=accuracy or figure, f1=f1 or figure)


def drawn(*slices: Slice) -> bytes:
    return draw("slices", REPORT.model_copy(update={"slices": slices}))


def height(png: bytes) -> int:
    return int(struct.unpack(">II", png[16:24])[1])


MANY = [one(f"column {n // 12}", f"https://example.org/{'long/' * 20}{n}") for n in range(60)]
ODD = [one("日本語 $x$", "a|b\t<c> \\frac"), one("source", "x" * 500), one("source", "(empty)")]


@pytest.mark.parametrize(
    "slices", [MANY, MANY[:40], ODD, ODD[:1], []], ids=["60", "40", "odd", "one", "none"]
)
def test_any_slices_can_be_drawn(slices: list[Slice]) -> None:
    assert drawn(*slices).startswith(b"\x89PNG")


def test_a_plot_grows_with_its_slices_up_to_forty() -> None:
    few, some, most, more = (height(drawn(*MANY[:count])) for count in (1, 10, 40, 60))
    assert few < some < most == more


def test_slices_that_are_not_drawn_are_told_in_the_title() -> None:
    assert drawn(*MANY[:41]) != drawn(*MANY[:40])


def test_every_part_of_a_slice_shows() -> None:
    changes = [
        one("day", "a", Interval(value=0.5, low=0.4, high=0.6)),
        one("day", "a", Interval(value=0.9, low=0.7, high=0.95)),
        one("day", "a", Interval(value=0.9)),
        one("day", "a", NONE),
        one("day", "b"),
        one("night", "a"),
    ]
    pictures = {drawn(one("day", "x"), change) for change in (one("day", "a"), *changes)}
    assert len(pictures) == 7


def test_accuracy_is_drawn_where_no_slice_has_an_f1() -> None:
    high, low = (one("day", "a", NONE, Interval(value=value)) for value in (0.9, 0.2))
    assert drawn(high) != drawn(low)
    # Beside a slice with an F1 the other is undefined, whatever its accuracy.
    assert drawn(one("day", "x"), high) == drawn(one("day", "x"), low)


def test_reports_with_more_labels_or_without_rows_can_be_drawn() -> None:
    for report in (random_report(90, ["a", "b", "c"]), report_of([], []), report_of(["ham"], [[0.9, 0.1]])):
        assert draw("slices", report).startswith(b"\x89PNG")
        with_slices = report.model_copy(update={"slices": (one("day", "a"), one("day", "b", NONE))})
        assert draw("slices", with_slices).startswith(b"\x89PNG")
