"""Plots of a look as PNG bytes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from assay.telemetry.drift.findings import Finding, Since
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.wording import NOTHING, predicate, title

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
            3.6 if finding.kind == "numbers" else 1.6 + 0.4 * len(_shown(finding)),
        )
        yield (
            finding.name,
            canvas.render(lambda figure, of=finding: _shares(figure, of), size=size),  # type: ignore[misc]
        )
    drawn = [each for each in compared if len(each.points) > 1]
    if drawn:
        rows = (len(drawn) + 1) // 2
        yield (
            "psi_over_time",
            canvas.render(lambda figure: _psi(figure, drawn, look), size=(9.0, 0.5 + 1.7 * rows)),
        )
    for finding in drawn:
        if finding.name in shown_over_time(look):
            yield (
                f"{finding.name}_over_time",
                canvas.render(
                    lambda figure, of=finding: _timeline(figure, of, look),  # type: ignore[misc]
                    size=(7.6, 3.2),
                ),
            )


def shown_over_time(look: Look) -> set[str]:
    """Return the statistics whose telling share is drawn over time: the operating point and the alarms."""
    names = {each.name for each in look.findings}
    return {"above" if "above" in names else "label", *(each.name for each in look.alarms)}


def _shares(figure: Any, finding: Finding) -> None:
    from assay.evaluation import canvas

    axes, rows, places = figure.add_subplot(), sum(finding.then), _shown(finding)
    then = [100 * finding.then[at] / rows for at in places]
    now = [100 * finding.now[at] for at in places]
    colours = canvas.COLOURS[OLD], canvas.COLOURS[ALARM if finding.alarm else NEW]
    began = finding.since is not None and finding.since.kind in ("began", "grew")
    when = " since the change" if began else ""
    names = f"Then: {rows:,} rows held out", f"Now: {finding.decisions:,} decisions{when}"
    upright = finding.kind == "numbers"
    for offset, shares, colour, name in zip((-0.2, 0.2), (then, now), colours, names, strict=True):
        bar = axes.bar if upright else axes.barh
        bar([at + offset for at in range(len(places))], shares, 0.4, color=colour, label=name)
        _write_shares(axes, upright, offset, shares)
    highest = max(*then, *now) or 1
    if upright:
        _name_edges(axes, finding)
        axes.set(xlabel=AXES[finding.name], ylabel="Share of the texts (%)", ylim=(0, 1.15 * highest))
        axes.grid(axis="y", color=canvas.GRID)
    else:
        axes.set_yticks(range(len(places)), [canvas.short(finding.labels[at]) for at in places])
        axes.invert_yaxis()
        axes.set(xlabel=_of_what(finding, rows), xlim=(0, 1.12 * highest))
        axes.grid(axis="x", color=canvas.GRID)
    state = "ALARM" if finding.alarm else "no alarm"
    axes.set_title(f"{title(finding)}: {state}, PSI {finding.psi:.3f} ({finding.chance:.3f} by chance)")
    figure.legend(loc="outside lower center", ncols=2)


def _write_shares(axes: Any, upright: bool, offset: float, shares: list[float]) -> None:
    for at, share in enumerate(shares):
        text = f"{share:.0f}" if share >= 9.95 or share == 0 else f"{share:.1f}"
        place, shift = ((at + offset, share), (0, 2)) if upright else ((share, at + offset), (3, 0))
        side = {"ha": "center"} if upright else {"va": "center"}
        axes.annotate(text, place, shift, textcoords="offset points", fontsize=7 if upright else 8, **side)


def _name_edges(axes: Any, finding: Finding) -> None:
    """Write the edges where bins meet."""
    names = [_number(edge, finding.name) for edge in finding.edges]
    slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if sum(map(len, names)) > 60 else {}
    axes.set_xticks([at + 0.5 for at in range(len(names))], names, fontsize=8, **slanted)
    axes.set_xlim(-0.6, len(finding.then) - 0.4)


def _number(edge: float, name: str) -> str:
    if name == "characters":
        return f"{edge:,.0f}"
    if edge < NOTHING:
        return "> 0"
    return f"{100 * edge:.3g}" if name == "unknown" else f"{edge:.2g}"


def _of_what(finding: Finding, rows: int) -> str:
    if finding.name != "decided_by" or len(finding.then) == 1:
        return "Share of the texts (%)"
    model = f"{100 * finding.now[0]:.3g} %, then {100 * finding.then[0] / rows:.3g} %"
    return f"Share of the texts (%); the model decided {model}"


def _shown(finding: Finding) -> list[int]:
    """Return the bins that are drawn: of many categories those that moved most; of deciders the rules."""
    places = list(range(len(finding.then)))
    if finding.kind == "numbers":
        return places
    if finding.name == "decided_by" and len(places) > 1:
        places = places[1:]
    rows = sum(finding.then)
    places.sort(key=lambda at: -abs(finding.now[at] - finding.then[at] / rows))
    return sorted(places[:MOST_CATEGORIES])


def _psi(figure: Any, findings: list[Finding], look: Look) -> None:
    from assay.evaluation import canvas

    panels = figure.subplots((len(findings) + 1) // 2, 2, squeeze=False).ravel()
    for axes, finding in zip(panels, findings, strict=False):
        middles, psis = _moments(finding), [point.psi for point in finding.points]
        limits = [point.chance + finding.least for point in finding.points]
        colour = canvas.COLOURS[ALARM if finding.alarm else NEW]
        axes.plot(middles, psis, color=colour, linewidth=1.5, marker="o", markersize=2.5)
        axes.plot(middles, limits, color=canvas.INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_ylim(0, 1.15 * max(*psis, *limits))
        axes.set_title(f"{title(finding)}{': ALARM' if finding.alarm else ''}", fontsize=9, pad=4)
        axes.tick_params(labelsize=8)
        axes.grid(color=canvas.GRID)
        _mark_swaps(axes, look)
        _dates(axes, look)
    for axes in panels[len(findings) :]:
        axes.set_axis_off()
    figure.suptitle(
        "PSI over time (UTC). Dashed: an alarm, where it stays above. Dotted: a version took over",
        **{"x": 0.01, "ha": "left", "fontsize": 10},
    )


def _timeline(figure: Any, finding: Finding, look: Look) -> None:
    from assay.evaluation import canvas

    told, axes = finding.told, figure.add_subplot()
    if told is None:
        return
    middles = _moments(finding)
    low, high = ([100 * getattr(each, name) for each in finding.points] for name in ("low", "high"))
    colour, then = canvas.COLOURS[ALARM if finding.alarm else NEW], 100 * told.then
    _mark_since(axes, finding.since)
    axes.fill_between(middles, low, high, color=colour, alpha=0.2, linewidth=0, label="95 % interval")
    shares = [100 * each.share for each in finding.points]
    axes.plot(middles, shares, color=colour, linewidth=1.8, label="Share now")
    dashes = (0, (4, 3))
    axes.axhline(then, color=canvas.INK, linewidth=1, linestyle=dashes, label=f"Then: {then:.3g} %")
    _mark_swaps(axes, look)
    _dates(axes, look)
    axes.set(
        ylabel="Share of the texts (%)", xlabel="Time (UTC)", ylim=(0, min(103, 1.15 * max(*high, then)))
    )
    axes.set_title(canvas.short(f"Texts that {predicate(finding, look)}", 70))
    axes.grid(color=canvas.GRID)
    figure.legend(loc="outside lower center", ncols=3)


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

    seen = [each for each in look.swaps if look.first <= each.at <= look.last]
    for number, swap in enumerate(seen):
        named = "A version took over" if number == 0 else None
        axes.axvline(swap.at, color=canvas.COLOURS[3], linewidth=1.2, linestyle=":", label=named)


def _dates(axes: Any, look: Look) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    form = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        formats=["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["", "%Y", "%b", "%-d %b", "%H:%M", "%H:%M"],
        show_offset=False,
    )
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(form)
    axes.set_xlim(look.first, look.last)
