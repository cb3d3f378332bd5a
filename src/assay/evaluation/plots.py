"""Plots of a report as PNG bytes: the same report gives the same bytes."""

from collections.abc import Callable
from typing import Any

from assay.evaluation.canvas import COLOURS, GRID, INK, MUTED, line, note, render, short
from assay.evaluation.plots_reliability import paint_reliability
from assay.evaluation.plots_slices import paint_slices
from assay.evaluation.report import Report

MAX_ANNOTATED = 20
"""Labels up to which the confusion matrix prints its counts."""
MAX_LEGEND = 10


def draw(name: str, report: Report) -> bytes:
    """Return one of ``PLOTS`` as PNG bytes.

    Raises MissingExtra when matplotlib is not installed.
    """
    return render(lambda figure: PLOTS[name](figure.add_subplot(), report))


def _confusion_matrix(axes: Any, report: Report) -> None:
    size = len(report.labels)
    totals = [max(sum(row), 1) for row in report.confusion]
    shares = [[count / total for count in row] for row, total in zip(report.confusion, totals, strict=True)]
    names = [short(label) for label in report.labels]
    longest = max(map(len, names))
    side = min(max(4.0, 1.6 + 0.42 * size), 14.0)
    slanted = longest * size > 36
    axes.figure.set_size_inches(side + 0.6 + 0.08 * longest, side + (0.6 + 0.06 * longest) * slanted)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    font = 10 if size <= MAX_ANNOTATED else 7
    turn = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(size), names, fontsize=font, **turn)
    axes.set_yticks(range(size), names, fontsize=font)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Decision (shade: share of the truth's rows)", ylabel="Truth")
    axes.set_title(f"What became of {report.rows:,} rows")
    if size <= MAX_ANNOTATED:
        _annotate(axes, report.confusion, shares)


def _annotate(axes: Any, counts: tuple[tuple[int, ...], ...], shares: list[list[float]]) -> None:
    few = len(counts) <= 6
    for row, (numbers, parts) in enumerate(zip(counts, shares, strict=True)):
        for column, (count, share) in enumerate(zip(numbers, parts, strict=True)):
            text = f"{count:,}\n{share:.1%}" if few else f"{count:,}"
            colour = "white" if share > 0.55 else INK
            size = 13 if len(counts) <= 3 else 10 if few else 6
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)


def _roc(axes: Any, report: Report) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="Guessing")
    for label, colour in _coloured(report):
        area = report.per_class[label].roc_auc
        line(axes, report.curves[label].roc, colour, f"{short(label)}: area {area}")
        false, recall = _served_point(report, label)[:2]
        _mark(axes, false, recall, colour, report)
    axes.set(
        xlabel="False alarms: share of the other rows", ylabel="Found: share of the label's rows (recall)"
    )
    _finish(axes, report, "ROC", "lower right")


def _precision_recall(axes: Any, report: Report) -> None:
    for label, colour in _coloured(report):
        metrics = report.per_class[label]
        text = f"{short(label)}: area {metrics.pr_auc}"
        line(axes, report.curves[label].precision_recall, colour, text, drawstyle="steps-pre")
        _, recall, precision = _served_point(report, label)
        _mark(axes, recall, precision, colour, report)
        if report.binary and report.rows:
            share = metrics.support / report.rows
            axes.axhline(share, color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="Guessing")
    axes.set(
        xlabel="Found: share of the label's rows (recall)",
        ylabel="Right: share of the label's decisions (precision)",
    )
    _finish(axes, report, "Precision and recall", "lower left")


def _scores(axes: Any, report: Report) -> None:
    edges, highest, names = report.scores.edges, 1, []
    for (group, counts), colour in zip(report.scores.counts.items(), COLOURS, strict=False):
        names.append(f"{short(group)} ({sum(counts):,} rows)")
        highest = max(highest, *counts)
        axes.stairs(counts, edges, fill=True, alpha=0.35, color=colour)
        axes.stairs(counts, edges, color=colour, linewidth=1.4, label=names[-1])
    if report.threshold is not None:
        axes.axvline(report.threshold, color=INK, linewidth=1.2, label=f"Threshold {report.threshold:.3g}")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set(
        xlim=(0, 1), ylim=(0, 1.5 * highest), xlabel=short(report.scores.of, 60), ylabel="Rows (log scale)"
    )
    axes.set_title("How the scores spread")
    axes.grid(axis="y", color=GRID)
    columns = 3 if max(map(len, names)) <= 24 else 1
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns)


def _coloured(report: Report) -> list[tuple[str, str]]:
    return [(label, COLOURS[number % len(COLOURS)]) for number, label in enumerate(report.curves)]


def _served_point(report: Report, label: str) -> tuple[float | None, float | None, float | None]:
    """Return the false positive rate, recall and precision of the decisions that were served."""
    number = report.labels.index(label)
    given = sum(row[number] for row in report.confusion)
    hits = report.confusion[number][number]
    support = sum(report.confusion[number])
    others = report.rows - support
    return (
        (given - hits) / others if others else None,
        hits / support if support else None,
        hits / given if given else None,
    )


def _mark(axes: Any, x: float | None, y: float | None, colour: str, report: Report) -> None:
    if x is not None and y is not None:
        name = f"Served threshold {report.threshold:.3g}" if report.threshold is not None else None
        axes.plot([x], [y], "o", markersize=7, color=colour, markeredgecolor="white", label=name, zorder=3)


def _finish(axes: Any, report: Report, title: str, corner: str) -> None:
    if len(report.curves) > 1:
        title += " of each label; dots: the decisions that are served"
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), title=title)
    axes.grid(color=GRID)
    if not any(curve.roc for curve in report.curves.values()):
        note(axes, "Undefined: these rows do not hold both sides")
    elif len(report.curves) <= MAX_LEGEND:
        axes.legend(loc=corner)


PLOTS: dict[str, Callable[[Any, Report], None]] = {
    "confusion_matrix": _confusion_matrix,
    "precision_recall": _precision_recall,
    "reliability": paint_reliability,
    "roc": _roc,
    "scores": _scores,
    "slices": paint_slices,
}
"""Name of the plot -> what draws it on axes."""
