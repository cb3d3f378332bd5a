"""The plot of slices: a figure with its interval for each part of the rows."""

from collections.abc import Sequence
from typing import Any

from assay.evaluation.canvas import COLOURS, GRID, INK, MUTED, note, short
from assay.evaluation.intervals import Interval
from assay.evaluation.report import Report
from assay.evaluation.slices import Slice

MOST = 40
"""Slices that are drawn, at most; the card lists them all."""
ROW = 0.24
"""Inches from slice to slice."""
GAP = 1.4
"""Room between the slices of two columns, for the second one's name, in rows."""


def paint_slices(axes: Any, report: Report) -> None:
    """Draw the F1 of each slice, or the accuracy where no slice has an F1, with its interval."""
    drawn = report.slices[:MOST]
    if not drawn:
        note(axes, "No slices")
        axes.set(xlim=(0, 1), yticks=[], title="Slices")
        return
    by_f1 = any(one.f1.value is not None for one in drawn)
    figures = [one.f1 if by_f1 else one.accuracy for one in drawn]
    places = _places(drawn)
    axes.figure.set_size_inches(7.2, 1.5 + places[-1] * ROW)
    for figure, place in zip(figures, places, strict=True):
        _dot(axes, figure, place)
    whole = report.metrics["f1" if by_f1 else "accuracy"]
    if whole.value is not None:
        axes.axvline(whole.value, color=MUTED, linewidth=1, linestyle=(0, (4, 4)), zorder=0)
    _label(axes, drawn, places)
    axes.set(xlim=(_left([*figures, whole]), 1.01), ylim=(places[-1] + 1, -1))
    axes.set_xlabel(_meaning(report, by_f1))
    more = len(report.slices) - len(drawn)
    axes.set_title("Slices" + (f": the first {len(drawn)} of {len(report.slices)}" if more else ""))
    axes.grid(axis="x", color=GRID)


def _places(drawn: Sequence[Slice]) -> list[float]:
    """Return how far down each slice stands, in rows; there is room above the first of each column."""
    places, place, before = [], 0.0, drawn[0].by
    for one in drawn:
        place += GAP * (one.by != before)
        places.append(place)
        place, before = place + 1, one.by
    return places


def _dot(axes: Any, figure: Interval, place: float) -> None:
    if figure.value is None:
        axes.text(1, place, "undefined", ha="right", va="center", color=MUTED, fontsize=8)
        return
    if figure.low is not None and figure.high is not None:
        axes.plot([figure.low, figure.high], [place, place], color=COLOURS[0], linewidth=1.6, alpha=0.6)
    axes.plot([figure.value], [place], "o", markersize=6, color=COLOURS[0], markeredgecolor="white")


def _label(axes: Any, drawn: Sequence[Slice], places: Sequence[float]) -> None:
    names = [f"{short(one.value, 32)} ({one.rows:,})" for one in drawn]
    axes.set_yticks(places, names, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    before = None
    for one, place in zip(drawn, places, strict=True):
        if one.by != before:
            axes.text(
                -0.01, place - 0.85, short(one.by, 40), ha="right", va="center", color=INK, fontsize=9,
                fontweight="bold", transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        before = one.by


def _left(figures: Sequence[Interval]) -> float:
    """Return where the axis begins: at the lowest bound, on a tenth, so that differences can be seen."""
    bounds = [bound for each in figures for bound in (each.low, each.value) if bound is not None]
    return max(0.0, min(0.9, int(min(bounds, default=0.0) * 10) / 10)) - 0.01


def _meaning(report: Report, by_f1: bool) -> str:
    if not by_f1:
        what = "Accuracy"
    elif report.binary:
        what = f"F1 of {short(report.positive)}"
    else:
        what = "F1, mean over the labels"
    return f"{what}; 95 % intervals; dashed: all rows"
