import json
import math

import numpy as np
import pytest
from pydantic import ValidationError

from assay.evaluation import Interval, Report
from assay.evaluation.metrics import Counts
from assay.evaluation.rowwise import pack
from assay.exceptions import ArtifactError
from tests.evaluation.made_up import random_report, report_of

REPORTS = {
    "two labels": random_report(120, ["ham", "spam"]),
    "three labels": random_report(120, ["a", "b", "日本語 ,|\"'"]),
    "one class": report_of(["ham"], [[0.9, 0.1]]),
    "no rows": report_of([], []),
}
REPORT = REPORTS["two labels"]


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_json_gives_an_equal_report_back(report: Report) -> None:
    text = report.to_json()
    assert Report.from_json(text) == report
    assert Report.from_json(text.encode()).to_json() == text


def test_json_keeps_what_decided(tuned_report: Report) -> None:
    assert Report.from_json(tuned_report.to_json()) == tuned_report


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_json_holds_no_nan(report: Report) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    json.loads(report.to_json(), parse_constant=refuse)


def changed(**values: object) -> str:
    return json.dumps(json.loads(REPORT.to_json()) | values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed(format=2), "is a report of format 2; this Assay reads 1"),
        (changed(format=None), "is a report of format None"),
        ("[1]", "is a report of format None"),
        ("{", "old.json is not JSON"),
        (b"\xff", "old.json is not JSON"),
        (changed(surprise=1), "surprise: is not a key that exists here"),
        (changed(rows="many"), "rows: .*'many'"),
        (changed(rows=121), "confusion must count each of the 121 rows once"),
        (changed(confusion=[[1, 2, 3]]), "confusion must have 2 rows and columns"),
        (changed(metrics={}), "lack .*'accuracy'.*'f1'"),
        (changed(per_class={}), r"lack \['ham', 'spam'\]"),
        (changed(confidence=math.nan), "confidence: .*finite"),
        (changed(training={"hyperparameters": {"C": math.inf}}), "training.hyperparameters"),
    ],
)
def test_json_that_is_no_report_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        Report.from_json(text, source="old.json")


@pytest.mark.parametrize("values", [{"value": None}, {"value": 0.5, "reason": "?"}, {"value": math.nan}])
def test_an_interval_has_a_value_or_a_reason(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Interval.model_validate(values)


def test_an_interval_reads_well() -> None:
    assert str(Interval(value=0.5, low=0.25, high=0.75)) == "0.5000 (0.2500 to 0.7500)"
    assert str(Interval(value=0.5)) == "0.5000"
    assert str(Interval(value=None, reason="there are no rows")) == "undefined"


def test_flat_names_every_defined_metric() -> None:
    flat = REPORT.flat()
    assert flat["f1"] == flat["spam/f1"] == REPORT.metrics["f1"].value
    assert flat["f1_low"] < flat["f1"] < flat["f1_high"]
    assert flat["ham/support"] + flat["spam/support"] == flat["rows"] == 120
    assert (flat["brier"], flat["ece_high"]) == (REPORT.calibration.brier.value, REPORT.calibration.ece.high)
    assert flat["rows_decided_by_rules"] == 0
    assert len(flat) == 1 + 3 * 7 + 2 * (3 * 5 + 1) + 2 * 3 + 1


def test_flat_leaves_undefined_metrics_out() -> None:
    flat = REPORTS["one class"].flat()
    assert flat["accuracy"] == 1.0
    assert "roc_auc" not in flat
    assert "spam/f1_low" not in flat


def test_lines_tell_each_metric_and_whose_it_is() -> None:
    head, *metrics, seen = REPORT.lines()
    assert head.startswith("120 held-out rows; 95 % intervals; precision, recall, F1 and areas of 'spam'")
    assert [line.split()[0] for line in metrics] == [*REPORT.metrics, "brier", "ece"]
    assert str(REPORT.metrics["pr_auc"]) in metrics[-3]
    assert seen.startswith("  Whether the model was trained on held-out rows is not known")
    assert "mean over the labels" in REPORTS["three labels"].lines()[0]


def test_lines_tell_what_decided_and_what_became_of_the_goal(tuned_report: Report) -> None:
    brier, ece, rules, goal, review, _ = tuned_report.lines()[8:]
    assert (brier.split()[0], ece.split()[0]) == ("brier", "ece")
    assert rules.startswith(f"  Rules decided {tuned_report.decided_by.rules} rows (")
    assert goal.startswith("  Goal recall >= 0.9: ")
    assert review.startswith("  Review band 0.2 to 1: ")


def test_a_report_from_before_calibration_still_loads(tuned_report: Report) -> None:
    new = ("calibration", "decided_by", "operating_point", "thresholds")
    new += ("slices", "behaviour", "must_pass", "leakage", "rule_account", "cost", "rowwise")
    values = {key: value for key, value in json.loads(tuned_report.to_json()).items() if key not in new}
    old = Report.from_json(json.dumps(values))
    assert (old.calibration, old.decided_by, old.operating_point, old.thresholds) == (None, None, None, {})
    assert old.metrics == tuned_report.metrics
    assert (old.slices, old.leakage, old.cost, old.rowwise) == ((), None, None, None)
    assert len(old.lines()) == 8
    assert "brier" not in old.flat()


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        REPORT.rows = 5


@pytest.mark.parametrize(
    "numbers",
    [{"decided": np.zeros(120, np.int64)}, {"truth": np.full(120, 7)}, {"decided": np.full(120, 2)}],
)
def test_rows_that_are_not_those_of_the_confusion_matrix_are_refused(numbers: dict[str, Counts]) -> None:
    columns = {name: pack(column) for name, column in numbers.items()}
    rows = json.loads(REPORT.to_json())["rowwise"] | columns
    with pytest.raises(ArtifactError, match="rowwise must hold the rows that confusion counts"):
        Report.from_json(changed(rowwise=rows))
