"""What the documentation shows of the watch on drift, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.markdown import cell, micro, table

Results = Mapping[str, Any]


def drift_false_alarms(results: Results) -> str:
    """Return how often there was an alarm without a change."""
    rows = [
        [
            f"{found['set']}, {found['reference']:,} reference rows",
            f"{found['decisions']:,} in {found['streams']:,}",
            f"{found['alarms']:,}",
            f"{found['a_million']:.2f} (at most {found['upper']:.2f})",
        ]
        for found in results["drift"]["no_change"]
    ]
    head = ["stream", "decisions, streams", "false alarms", "a million decisions (95 % upper bound)"]
    return table(head, rows)


def drift_delays(results: Results) -> str:
    """Return how soon each change was found."""
    rows = []
    for found in results["drift"]["changes"]:
        first = next(iter(found["first"]), "")
        rows.append(
            [
                f"{found['share']:.0%} {found['what']}".replace(" %", "%").replace("%", " %"),
                cell(found["within"]),
                _delay(found["median"]),
                _delay(found["p95"]),
                f"`{first}`" if first else "",
            ]
        )
    head = ["change", "found within 2,000 decisions", "median delay", "95 % of the runs", "first to tell"]
    return table(head, rows)


def drift_cost(results: Results) -> str:
    """Return what the watch costs a decision."""
    cost = results["drift"]["cost"]
    rows = [
        *([f"counting, {size} at once", micro(cost["observe"][size])] for size in ("1", "10", "100", "1000")),
        *(
            [f"unknown words of a review, {size} at once", micro(cost["unknown"][size])]
            for size in ("1", "100")
        ),
        ["a look after each 100 decisions", micro(cost["look"])],
    ]
    return table(["step", "microseconds a decision: median (5 % to 95 %)"], rows)


def _delay(decisions: float | None) -> str:
    return "more than 10,000" if decisions is None else f"{decisions:,.0f}"


DRIFT: Mapping[str, Callable[[Results], str]] = {
    "drift_false_alarms": drift_false_alarms,
    "drift_delays": drift_delays,
    "drift_cost": drift_cost,
}
"""Each table by its name on the page."""
