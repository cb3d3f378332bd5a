"""The reliability diagram: what probabilities state against what came true."""

from typing import Any

from assay.evaluation.canvas import COLOURS, GRID, MUTED, note, short
from assay.evaluation.report import Report

PALE = "#b9cde4"


def paint_reliability(axes: Any, report: Report) -> None:
    """Draw each bin's observed share, with its exact interval, over its mean probability and their range."""
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="Probabilities are true")
    found = report.calibration
    if found is None or not found.bins:
        note(axes, "Undefined: the model decided none of these rows" if found else "Not measured")
    else:
        stated = [held.probability for held in found.bins]
        shares = [held.observed.value or 0.0 for held in found.bins]
        below = [(held.observed.value or 0.0) - (held.observed.low or 0.0) for held in found.bins]
        above = [(held.observed.high or 0.0) - (held.observed.value or 0.0) for held in found.bins]
        around = [(held.probability - held.lowest, held.highest - held.probability) for held in found.bins]
        fewest, most = (edge(held.count for held in found.bins) for edge in (min, max))
        rows = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
        axes.errorbar(
            stated, shares, xerr=[*zip(*around, strict=True)], fmt="none", ecolor=PALE, elinewidth=3
        )
        axes.errorbar(
            stated,
            shares,
            yerr=(below, above),
            fmt="o-",
            color=COLOURS[0],
            linewidth=1.4,
            elinewidth=1.0,
            capsize=2,
            markersize=5,
            markeredgecolor="white",
            label=f"{len(found.bins)} bins of {rows} rows: their range, 95 % intervals",
        )
        axes.legend(loc="upper left", title=f"ECE {found.ece}\nBrier score {found.brier}", alignment="left")
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), title="Reliability: stated and observed")
    axes.set(xlabel=short(found.event, 60) if found else "Probability", ylabel="Share that came true")
    axes.grid(color=GRID)
