"""Plots of a look as PNG bytes."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from assay.telemetry.drift.findings import Finding, Since
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.wording import predicate, title

MOST_CATEGORIES = 14
"""Categories that a plot shows: those whose shares moved most."""
NEW, OLD, ALARM = 0, 8, 4
"""Places among the colours of the canvas."""
AXES = {
    "label": "Label given",
    "decided_by": "What decided",
    "above": "Score against the threshold",
    "near": "Score against the threshold",
    "score": "Score (calibrated probability of the positive label)",
    "confidence": "Confidence (probability of the label given)",
    "characters": "Length of the text (characters)",
    "unknown": "Share of a text's words that the model does not know (%)",
}


def plots_of(look: Look) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the PNG bytes of each plot; raises MissingExtra when matplotlib is not installed."""
    from assay.evaluation import canvas

    compared = [each for each in look.findings if each.told]
    for finding in compared:
        size = (
            7.0,
            3.4 if finding.kind == "numbers" else 1.9 + 0.42 * min(len(finding.then), MOST_CATEGORIES),
        )
        yield (
            finding.name,
            canvas.render(lambda figure, of=finding: _shares(figure.add_subplot(), of), size=size),  # type: ignore[misc]
        )
    if any(len(each.points) > 1 for each in compared):
        rows = (len(compared) + 1) // 2
        yield (
            "psi_over_time",
            canvas.render(lambda figure: _psi(figure, compared, look), size=(9.0, 0.6 + 1.75 * rows)),
        )
    for finding in compared:
        if finding.name in shown_over_time(look) and len(finding.points) > 1:
            yield (
                f"{finding.name}_over_time",
                canvas.render(
                    lambda figure, of=finding: _timeline(figure.add_subplot(), of, look),  # type: ignore[misc]
                    size=(7.6, 3.2),
                ),
            )


def shown_over_time(look: Look) -> set[str]:
    """Return the statistics whose telling share is drawn over time: the operating point and the alarms."""
    names = {each.name for each in look.findings}
    return {"above" if "above" in names else "label", *(each.name for each in look.alarms)}


def _shares(axes: Any, finding: Finding) -> None:
    from assay.evaluation import canvas

    rows = sum(finding.then)
    places = _shown(finding)
    then = [100 * finding.then[at] / rows for at in places]
    now = [100 * finding.now[at] for at in places]
    colours = canvas.COLOURS[OLD], canvas.COLOURS[ALARM if finding.alarm else NEW]
    names = f"Then: {rows:,} rows held out", f"Now: {finding.decisions:,} decisions"
    spots, half = range(len(places)), 0.4
    if finding.kind == "numbers":
        axes.bar([at - half / 2 for at in spots], then, half, color=colours[0], label=names[0])
        axes.bar([at + half / 2 for at in spots], now, half, color=colours[1], label=names[1])
        axes.set_xticks(spots, bin_names(finding), fontsize=8)
        if len(places) > 9:
            axes.tick_params(axis="x", rotation=35)
        axes.set(
            xlabel=AXES[finding.name], ylabel="Share of the texts (%)", ylim=(0, 1.18 * max(*then, *now))
        )
        axes.grid(axis="y", color=canvas.GRID)
    else:
        axes.barh([at - half / 2 for at in spots], then, half, color=colours[0], label=names[0])
        axes.barh([at + half / 2 for at in spots], now, half, color=colours[1], label=names[1])
        axes.set_yticks(spots, [canvas.short(bin_names(finding)[at]) for at in places])
        axes.invert_yaxis()
        axes.set(xlabel="Share of the texts (%)", xlim=(0, 1.15 * max(*then, *now)))
        axes.set_ylabel(AXES[finding.name], fontsize=9)
        axes.grid(axis="x", color=canvas.GRID)
    _write_shares(axes, finding.kind == "numbers", then, now)
    state = "ALARM" if finding.alarm else "no alarm"
    axes.set_title(f"{title(finding)}: {state}, PSI {finding.psi:.3f} ({finding.chance:.3f} by chance)")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.28 if finding.kind == "numbers" else -0.32), ncols=2
    )


def _write_shares(axes: Any, upright: bool, then: list[float], now: list[float]) -> None:
    for offset, shares in ((-0.2, then), (0.2, now)):
        for at, share in enumerate(shares):
            text = f"{share:.0f}" if share >= 9.95 or share == 0 else f"{share:.1f}"
            if upright:
                axes.annotate(
                    text, (at + offset, share), (0, 2), textcoords="offset points", ha="center", fontsize=6.5
                )
            else:
                axes.annotate(
                    text, (share, at + offset), (3, 0), textcoords="offset points", va="center", fontsize=8
                )


def bin_names(finding: Finding) -> list[str]:
    """Return what each bin holds, short enough for an axis."""
    if finding.kind == "categories":
        return list(finding.labels)
    edges = [_number(edge, finding.name) for edge in finding.edges]
    if not edges:
        return ["all"]
    return [
        f"< {edges[0]}",
        *(f"{a} to {b}" for a, b in pairwise(edges)),
        f"≥ {edges[-1]}",
    ]


def _number(edge: float, name: str) -> str:
    if name == "characters":
        return f"{edge:,.0f}"
    return f"{100 * edge:.3g}" if name == "unknown" else f"{edge:.2g}"


def _shown(finding: Finding) -> list[int]:
    if finding.kind == "numbers" or len(finding.then) <= MOST_CATEGORIES:
        return list(range(len(finding.then)))
    rows = sum(finding.then)
    moved = [abs(now - then / rows) for now, then in zip(finding.now, finding.then, strict=True)]
    return sorted(sorted(range(len(moved)), key=lambda at: -moved[at])[:MOST_CATEGORIES])


def _psi(figure: Any, findings: list[Finding], look: Look) -> None:
    from assay.evaluation import canvas

    rows = (len(findings) + 1) // 2
    panels = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
    for axes, finding in zip(panels, findings, strict=False):
        middles, psis, limits = _moments(finding), [], []
        for point in finding.points:
            psis.append(point.psi)
            limits.append(point.chance + finding.least)
        colour = canvas.COLOURS[ALARM if finding.alarm else NEW]
        axes.plot(middles, psis, color=colour, linewidth=1.5, marker="o", markersize=2.5, label="PSI")
        axes.plot(middles, limits, color=canvas.INK, linewidth=1, linestyle=(0, (4, 3)), label="Alarm line")
        axes.set_ylim(0, 1.15 * max(*psis, *limits))
        axes.set_title(f"{title(finding)}{': ALARM' if finding.alarm else ''}", fontsize=9, pad=4)
        axes.tick_params(labelsize=8)
        axes.grid(color=canvas.GRID)
        _mark_swaps(axes, look)
        _dates(axes, look)
    for axes in panels[len(findings) :]:
        axes.set_axis_off()
    for axes in panels[max(0, len(findings) - 2) : len(findings)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("Time (UTC)", fontsize=8)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names), fontsize=8)
    figure.suptitle("PSI over time, each statistic on its own scale", x=0.01, ha="left", fontsize=11)


def _timeline(axes: Any, finding: Finding, look: Look) -> None:
    from assay.evaluation import canvas

    told = finding.told
    if told is None:
        return
    middles = _moments(finding)
    low, high = ([100 * getattr(each, name) for each in finding.points] for name in ("low", "high"))
    colour = canvas.COLOURS[ALARM if finding.alarm else NEW]
    axes.fill_between(middles, low, high, color=colour, alpha=0.2, linewidth=0, label="95 % interval")
    axes.plot(
        middles, [100 * each.share for each in finding.points], color=colour, linewidth=1.8, label="Share now"
    )
    axes.axhline(
        100 * told.then,
        color=canvas.INK,
        linewidth=1,
        linestyle=(0, (4, 3)),
        label=f"Then: {100 * told.then:.3g} %",
    )
    _mark_since(axes, finding.since)
    _mark_swaps(axes, look)
    _dates(axes, look)
    axes.set(ylabel="Share (%)", xlabel="Time (UTC)", ylim=(0, min(103, 1.15 * max(*high, 100 * told.then))))
    axes.set_title(canvas.short(f"Texts that {predicate(finding, look)}", 70))
    axes.grid(color=canvas.GRID)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=5)


def _moments(finding: Finding) -> list[datetime]:
    return [each.begin + (each.end - each.begin) / 2 for each in finding.points]


def _mark_since(axes: Any, since: Since | None) -> None:
    from assay.evaluation import canvas

    if since and since.low and since.high:
        axes.axvspan(
            since.low, since.high, color=canvas.COLOURS[1], alpha=0.25, linewidth=0, label="Change began here"
        )


def _mark_swaps(axes: Any, look: Look) -> None:
    from assay.evaluation import canvas

    for number, swap in enumerate(look.swaps):
        named = "A version took over" if number == 0 else None
        axes.axvline(swap.at, color=canvas.COLOURS[3], linewidth=1.2, linestyle=":", label=named)


def _dates(axes: Any, look: Look) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlim(look.first, look.last)
