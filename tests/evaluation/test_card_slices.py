import pytest

from assay.evaluation import Report, render_card
from assay.evaluation.card_slices import leakage, slices
from assay.evaluation.intervals import Interval, exact_interval
from assay.evaluation.leakage import Leakage
from assay.evaluation.slices import Slice
from tests.evaluation.made_up import random_report

REPORT = random_report(120, ["ham", "spam"]).model_copy(update={"slices": (), "leakage": None})


def one(by: str, value: str, rows: int, *, f1: float | None = 0.5) -> Slice:
    accuracy = exact_interval(rows, rows, reason="there are no rows")
    found = Interval(value=f1, reason="" if f1 is not None else "none has the label")
    return Slice(by=by, value=value, rows=rows, positives=rows, accuracy=accuracy, f1=found)


def told(report: Report, *found: Slice) -> str:
    return "\n".join(slices(report.model_copy(update={"slices": found})))


def test_a_report_without_slices_or_leakage_has_no_such_sections() -> None:
    assert list(slices(REPORT)) == list(leakage(REPORT)) == []
    card = render_card(REPORT)
    assert "## Slices" not in card
    assert "seen before" not in card


def test_every_slice_has_its_line() -> None:
    text = told(REPORT, one("length", "up to 9 characters", 1234), one("source", "web", 40, f1=None))
    lines = text.splitlines()
    assert "| By | Value | Rows | Accuracy | F1, `spam` |" in lines
    assert "| length | up to 9 characters | 1,234 | 1.0000 (0.9970 to 1.0000) | 0.5000 |" in lines
    assert "| source | web | 40 | 1.0000 (0.9119 to 1.0000) | undefined |" in lines
    assert "fewer than" not in text
    assert lines[-1] == "![Slices](plots/slices.png)"


def test_small_slices_are_said_to_be_small() -> None:
    assert "Slices with fewer than 30 rows: 1." in told(REPORT, one("day", "a", 29), one("day", "b", 30))


def test_values_cannot_break_the_table() -> None:
    text = told(REPORT, one("a|b", "<b>`x`|\n*y*</b>", 50))
    [row] = [line for line in text.splitlines() if "50" in line]
    assert row.count("|") == 6
    assert "<b>" not in row


def test_with_more_labels_f1_is_their_mean() -> None:
    assert "F1, mean over the labels" in told(random_report(60, ["a", "b", "c"]), one("length", "x", 40))


@pytest.mark.parametrize("seen", [0, 3, None])
def test_leakage_is_a_list(seen: int | None) -> None:
    found = Leakage(
        rows=120, seen=seen, near=12, accuracy_apart=Interval(value=0.9), f1_apart=Interval(value=0.8)
    )
    lines = list(leakage(REPORT.model_copy(update={"leakage": found})))
    assert lines[0] == "## What it may have seen before"
    assert "- Held-out rows that nearly repeat a training row: 12 of 120 (10.00%)." in lines
    assert "- Without these: accuracy 0.9000, F1 0.8000." in lines


def test_both_sections_are_on_the_card() -> None:
    found = {"slices": (one("length", "x", 40),), "leakage": Leakage(rows=120, seen=0, near=None)}
    card = render_card(REPORT.model_copy(update=found))
    assert "## Slices" in card
    assert "## What it may have seen before" in card
