"""Floors: what a candidate must reach whatever is in production."""

from collections.abc import Iterator

from assay.config import Compared, GatePolicy
from assay.evaluation import Interval, Report
from assay.gate.check import Check
from assay.gate.sentences import NAMES, exact, metric_name, opening, with_interval


def check_rows(policy: GatePolicy, report: Report) -> Check:
    """Return whether there are rows enough to judge by."""
    passed = report.rows >= policy.min_rows
    sentence = f"The metrics come from {report.rows:,} held-out rows."
    if not passed:
        found = f"There are {report.rows:,} held-out rows" if report.rows else "There are no held-out rows"
        sentence = (
            f"{found} to judge by; at least {policy.min_rows:,} are needed. "
            "Give the task more rows or a larger test share, or lower gate.min_rows."
        )
    return Check(
        name="rows", observed=report.rows, required=policy.min_rows, passed=passed, sentence=sentence
    )


def check_floors(policy: GatePolicy, report: Report) -> Iterator[Check]:
    """Yield whether accuracy, F1 and the metrics of single labels reach their floors."""
    headline: tuple[tuple[Compared, float], ...] = (("accuracy", policy.min_accuracy), ("f1", policy.min_f1))
    for metric, floor in headline:
        yield _floor(metric, metric_name(metric, report), report, report.metrics[metric], floor)
    for label, floors in policy.labels.items():
        found = report.per_class.get(label)
        missing = Interval(value=None, reason=f"the labels are {list(report.labels)}")
        asked: tuple[tuple[Compared, float], ...] = (
            ("precision", floors.min_precision),
            ("recall", floors.min_recall),
            ("f1", floors.min_f1),
        )
        for metric, floor in asked:
            if floor:
                value = getattr(found, metric) if found else missing
                yield _floor(f"{label}/{metric}", f"{NAMES[metric]} of {label!r}", report, value, floor)


def _floor(name: str, title: str, report: Report, metric: Interval, floor: float) -> Check:
    if metric.value is None:
        passed = False
        sentence = (
            f"{opening(title)} is undefined ({metric.reason}), so it does not reach the floor of {floor}."
        )
    else:
        passed = exact(metric.value) >= exact(floor)
        value = with_interval(report, metric, against=floor)
        verdict = "reaches" if passed else "is below"
        sentence = f"{opening(title)} is {value} and {verdict} the floor of {floor}."
    return Check(name=name, observed=metric.value, required=floor, passed=passed, sentence=sentence)
