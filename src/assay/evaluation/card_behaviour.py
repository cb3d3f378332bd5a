"""The part of a model card that says how decisions behave: under changes of a text, and on those that must pass."""

from collections.abc import Iterator

from assay.evaluation.markdown import plain, table
from assay.evaluation.report import Report


def behaviour(report: Report) -> Iterator[str]:
    """Yield what changes of the texts did to the decisions; nothing in a report that did not try any."""
    tests = [test for test in report.behaviour if test.rows]
    if not tests:
        return
    yield "## Behaviour"
    yield ""
    rows = [(plain(test.name), f"{test.rows:,}", str(test.failures)) for test in tests]
    yield from table(("Change", "Rows", "Share that fails"), rows, "lrr")


def must_pass(report: Report) -> Iterator[str]:
    """Yield what became of the texts that must be decided rightly; nothing where the task names none."""
    if not report.must_pass:
        return
    yield "## Texts that must pass"
    yield ""
    rows = [(plain(case.text), case.label, case.decided) for case in report.must_pass]
    yield from table(("Text", "Label", "Decided"), rows, "lll")
