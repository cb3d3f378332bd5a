"""What each threshold of a table would do: precision, recall, F1 and alerts a day."""

from typing import TYPE_CHECKING, Any

from assay.evaluation.canvas import COLOURS, GRID, INK, render, short

if TYPE_CHECKING:
    from assay.estimators import ThresholdTable

CURVES = (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))


def threshold_plot(table: "ThresholdTable") -> bytes:
    """Return a threshold's table as PNG bytes, the chosen threshold marked with its interval.

    Raises MissingExtra when matplotlib is not installed.
    """
    return render(lambda figure: _paint(figure, table), size=(6.4, 6.0))


def _paint(figure: Any, table: "ThresholdTable") -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    thresholds = [row.threshold for row in table.rows]
    for (name, title), colour in zip(CURVES, COLOURS, strict=False):
        values = [_or_nan(getattr(row, name)) for row in table.rows]
        upper.plot(thresholds, values, color=colour, linewidth=1.8, label=title)
        at = getattr(table.chosen, name)
        if at is not None:
            upper.plot([table.chosen.threshold], [at], "o", color=colour, markeredgecolor="white", zorder=3)
    alerts = [table.alerts_a_day(row) for row in table.rows]
    lower.plot(thresholds, alerts, color=COLOURS[3], linewidth=1.8)
    for axes in (upper, lower):
        _mark_chosen(axes, table)
        axes.grid(color=GRID)
    upper.set(ylim=(-0.015, 1.015), ylabel="Share")
    upper.set_title(f"Thresholds of {short(table.label)}, goal {table.goal}")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    lower.set(xlim=(0, 1), xlabel="Threshold")
    lower.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    lower.set_ylabel(f"Alerts a day\nof {table.texts_a_day:,} texts")
    lower.set_ylim(bottom=0)


def _mark_chosen(axes: Any, table: "ThresholdTable") -> None:
    name = f"Chosen: {table.chosen.threshold:.3g}"
    if table.low is not None and table.high is not None:
        axes.axvspan(table.low, table.high, color=INK, alpha=0.1, linewidth=0)
        name += f" ({table.low:.3g} to {table.high:.3g})"
    axes.axvline(table.chosen.threshold, color=INK, linewidth=1.2, label=name)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
