"""A threshold's table for people: the chosen row among its neighbours."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assay.evaluation.text_table import text_table

if TYPE_CHECKING:
    from assay.estimators import ThresholdRow, ThresholdTable

STEPS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
"""Rows above and below the chosen one that are shown: close ones each, further ones ever more thinly."""
HEADER = (
    *("", "threshold", "caught", "false alarms", "missed", "left alone"),
    *("precision", "recall", "F1", "accuracy", "alerts a day"),
)


def table_lines(table: "ThresholdTable") -> list[str]:
    """Return a table's chosen threshold with its intervals, then the rows around it, aligned.

    The chosen row is marked; rows far from it are shown ever more thinly.
    """
    chosen, bounds = table.chosen, ""
    if table.low is not None and table.high is not None:
        bounds = f" (95 % interval {table.low:.4g} to {table.high:.4g})"
    head = f"{table.label!r}: threshold {chosen.threshold:.4g}{bounds}, chosen for the goal {table.goal!r}"
    rows = [_cells(row, table) for row in shown_rows(table)]
    shown = text_table(HEADER, rows, "ll" + "r" * (len(HEADER) - 2))
    return [head, *_missed(table), *_figures(table), *(f"  {line}" for line in shown)]


def _missed(table: "ThresholdTable") -> Iterator[str]:
    if table.unreached:
        yield f"In {table.unreached:,} of {table.resamples:,} resamples no threshold reached the goal."


def _figures(table: "ThresholdTable") -> Iterator[str]:
    for name, (value, low, high) in table.metrics.items():
        if name == "alerts":
            value, low, high = (share * table.texts_a_day for share in (value, low, high))
            yield f"  alerts     {value:.1f} ({low:.1f} to {high:.1f}) of {table.texts_a_day:,} texts a day"
        else:
            yield f"  {name:10} {value:.4f} ({low:.4f} to {high:.4f})"


def shown_rows(table: "ThresholdTable") -> "list[ThresholdRow]":
    """Return the chosen row and those around it, by rising threshold."""
    chosen = table.chosen
    below = [row for row in table.rows if row.threshold < chosen.threshold]
    above = [row for row in table.rows if row.threshold > chosen.threshold]
    return [*reversed(_thinned(below[::-1])), chosen, *_thinned(above)]


def _thinned(rows: "Sequence[ThresholdRow]") -> "list[ThresholdRow]":
    return [rows[step - 1] for step in STEPS if step <= len(rows)]


def _cells(row: "ThresholdRow", table: "ThresholdTable") -> tuple[str, ...]:
    counts = (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)
    shares = (row.precision, row.recall, row.f1, row.accuracy)
    return (
        ">" if row.threshold == table.chosen.threshold else "",
        f"{row.threshold:.2f}" if row.threshold == round(row.threshold, 2) else f"{row.threshold:.4f}",
        *(f"{count:,}" for count in counts),
        *("" if share is None else f"{share:.4f}" for share in shares),
        f"{table.alerts_a_day(row):,.1f}",
    )
