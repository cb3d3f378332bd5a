"""What the documentation shows of the gate's simulations, as Markdown; ``GATE`` has each by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.markdown import table

Results = Mapping[str, Any]

RULES = {
    "point": "`point`",
    "point_slices": "`point`, four slices",
    "point_less_0.01": "`point`, `max_regression = 0.01`",
    "significant": "`significant`",
    "significant_slices": "`significant`, four slices",
}
"""The rules that are shown, in the order of the columns."""


def speed(results: Results) -> str:
    """Return the seconds of a decision."""
    rows = [
        [
            str(found["labels"]),
            f"{found['rows']:,}",
            str(found["slices"]),
            f"{found['seconds']['median']:.2f} s",
            f"{found['seconds']['worst']:.2f} s",
        ]
        for found in results["gate"]["speed"]
    ]
    return table(["labels", "rows of each report", "slices", "median", "worst of seven"], rows)


def false_blocks(results: Results) -> str:
    """Return how often a candidate is blocked that is as good, or better."""
    found = [each for each in results["gate"]["rates"] if each["change"] >= 0]
    return _rates(found, "blocked though its F1 is", lambda hits: hits)


def false_passes(results: Results) -> str:
    """Return how often a candidate passes that is worse."""
    found = [each for each in results["gate"]["rates"] if each["change"] < 0]
    return _rates(found, "passed though its F1 is", _other)


def power(results: Results) -> str:
    """Return the smallest fall of F1 that is seen, by number of rows."""
    found = results["gate"]["power"]
    sizes = sorted({each["rows"] for each in found})
    seen = {(_kind(each), each["rows"]): each["seen"] for each in found}
    rows = [
        [*kind, *(_seen(seen[kind, size]) for size in sizes)] for kind in dict.fromkeys(map(_kind, found))
    ]
    head = ["positive rows", "F1", "only one right on", *(f"{size:,} rows" for size in sizes)]
    return table(head, rows)


def _kind(found: Mapping[str, Any]) -> tuple[str, str, str]:
    return _percent(found["positives"]), f"{found['f1']:.2f}", _percent(found["differ"])


def _seen(fall: float | None) -> str:
    return "" if fall is None else f"{fall:.4f}"


def _rates(
    found: Sequence[Mapping[str, Any]], title: str, turned: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> str:
    rows = [
        [
            _percent(each["positives"]),
            f"{each['rows']:,}",
            f"{each['change']:+g}" if each["change"] else "equal",
            *(_rate(turned(each["blocked"][rule])) for rule in RULES),
        ]
        for each in found
    ]
    return table(["positive rows", "held-out rows", title, *RULES.values()], rows)


def _other(measured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the share of those that were not hit."""
    low, high = 1 - measured["high"], 1 - measured["low"]
    return {"share": 1 - measured["share"], "low": low, "high": high}


def _rate(measured: Mapping[str, Any]) -> str:
    low, high = (f"{100 * measured[bound]:.1f}" for bound in ("low", "high"))
    return f"{100 * measured['share']:.1f} % ({low} to {high})"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


GATE = {
    "gate_speed": speed,
    "gate_false_blocks": false_blocks,
    "gate_false_passes": false_passes,
    "gate_power": power,
}
