import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from assay.config import GatePolicy, LabelFloors
from assay.evaluation import Interval, Report
from assay.gate.check import Check
from assay.gate.floors import check_floors, check_rows
from tests.gate.reports import given, report_on

BASE = report_on(*given(80, 20, 10, 90))
shares = st.floats(0, 1)


def with_metrics(**values: float | None) -> Report:
    """Return a report with other values of metrics; None is undefined."""
    intervals = {
        name: Interval(value=value) if value is not None else Interval(value=None, reason="there are no rows")
        for name, value in values.items()
    }
    return BASE.model_copy(update={"metrics": {**BASE.metrics, **intervals}})


def floors(policy: GatePolicy, report: Report = BASE) -> dict[str, Check]:
    """Return the checks of a report's floors by name."""
    return {check.name: check for check in check_floors(policy, report)}


@settings(max_examples=50)
@drawn(shares, shares, shares, shares)
def test_a_metric_passes_from_its_floor_upwards(
    f1: float, accuracy: float, min_f1: float, min_accuracy: float
) -> None:
    found = floors(
        GatePolicy(min_f1=min_f1, min_accuracy=min_accuracy), with_metrics(f1=f1, accuracy=accuracy)
    )
    assert {name: check.passed for name, check in found.items()} == {
        "accuracy": accuracy >= min_accuracy,
        "f1": f1 >= min_f1,
    }


def test_a_floor_is_shown_apart_from_what_misses_it_by_little() -> None:
    check = floors(GatePolicy(min_f1=0.85), with_metrics(f1=0.849996))["f1"]
    assert check.sentence == "F1 of 'spam' is 0.849996 and is below the floor of 0.85."
    assert (check.observed, check.required) == (0.849996, 0.85)


def test_a_floor_is_shown_with_the_interval_of_what_reaches_it() -> None:
    low, high = BASE.metrics["f1"].low, BASE.metrics["f1"].high
    sentence = floors(GatePolicy(min_f1=0.8))["f1"].sentence
    bounds = f"(95 % interval {low:.4f} to {high:.4f})"
    assert sentence == f"F1 of 'spam' is 0.8421 {bounds} and reaches the floor of 0.8."


def test_an_undefined_metric_reaches_no_floor() -> None:
    check = floors(GatePolicy(min_f1=0), with_metrics(f1=None))["f1"]
    assert not check.passed
    assert check.sentence == (
        "F1 of 'spam' is undefined (there are no rows), so it does not reach the floor of 0.0."
    )


def test_more_labels_are_held_to_macro_f1() -> None:
    report = report_on([0, 1, 2] * 20, [0, 1, 1] * 20, ("a", "b", "c"))
    check = floors(GatePolicy(min_f1=0.99), report)["f1"]
    assert check.sentence.startswith("Macro F1 is ")
    assert check.observed == report.metrics["macro_f1"].value


@pytest.mark.parametrize(
    ("label", "metric", "value"),
    [
        ("spam", "precision", 80 / 90),
        ("spam", "recall", 0.8),
        ("ham", "recall", 0.9),
        ("ham", "f1", 180 / 210),
    ],
)
@pytest.mark.parametrize("distance", [-0.01, 0.01])
def test_a_single_label_has_floors_of_its_own(label: str, metric: str, value: float, distance: float) -> None:
    policy = GatePolicy(labels={label: LabelFloors.model_validate({f"min_{metric}": value + distance})})
    found = floors(policy)
    assert set(found) == {"accuracy", "f1", f"{label}/{metric}"}
    check = found[f"{label}/{metric}"]
    assert (check.observed, check.passed) == (pytest.approx(value), distance < 0)
    title = "F1" if metric == "f1" else metric.capitalize()
    assert check.sentence.startswith(f"{title} of '{label}' is 0.8" if label == "spam" else title)


def test_a_floor_of_a_label_that_is_not_there_says_which_are() -> None:
    check = floors(GatePolicy(labels={"eggs": LabelFloors(min_recall=0.1)}))["eggs/recall"]
    assert not check.passed
    assert "Recall of 'eggs' is undefined (the labels are ['ham', 'spam'])" in check.sentence


@pytest.mark.parametrize("rows", [1, 199, 200])
def test_rows_are_counted_against_what_is_needed(rows: int) -> None:
    check = check_rows(GatePolicy(min_rows=200), BASE.model_copy(update={"rows": rows}))
    assert (check.observed, check.required, check.passed) == (rows, 200, rows == 200)
    said = "The metrics come from 200 held-out rows." if rows == 200 else f"There are {rows} held-out rows to"
    assert check.sentence.startswith(said)
