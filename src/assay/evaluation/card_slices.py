"""The part of a model card that says on which rows it does better or worse, and what may flatter it."""

from collections.abc import Iterator

from assay.evaluation.markdown import code, plain, table
from assay.evaluation.report import Report

FEW_ROWS = 30
"""With fewer rows a slice's figures say little."""


def slices(report: Report) -> Iterator[str]:
    """Yield accuracy and F1 of every slice; nothing in a report without slices."""
    if not report.slices:
        return
    yield "## Slices"
    yield ""
    f1 = f"F1, {code(report.positive)}" if report.binary else "F1, mean over the labels"
    yield "How it does on parts of the held-out rows."
    yield ""
    rows = [
        (plain(one.by), plain(one.value), f"{one.rows:,}", str(one.accuracy), str(one.f1))
        for one in report.slices
    ]
    yield from table(("By", "Value", "Rows", "Accuracy", f1), rows, "llrrr")
    yield ""
    if few := sum(one.rows < FEW_ROWS for one in report.slices):
        yield f"Slices with fewer than {FEW_ROWS} rows: {few}. Their figures say little."
        yield ""
    yield "![Slices](plots/slices.png)"


def leakage(report: Report) -> Iterator[str]:
    """Yield which held-out rows the model may know already; nothing in a report that did not look."""
    if report.leakage is None:
        return
    yield "## What it may have seen before"
    yield ""
    yield from (f"- {plain(line)}." for line in report.leakage.lines())
