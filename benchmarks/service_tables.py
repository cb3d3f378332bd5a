"""What the documentation shows of a service under load, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.markdown import table

Results = Mapping[str, Any]

PHASES = {"half": "0.5", "twice": "2", "half again": "0.5, right after"}
"""Multiples of saturation, in the order in which they were sent."""


def overload(results: Results) -> str:
    """Return what became of the requests of each phase."""
    found = results["overload"]
    rows = []
    for name, multiple in PHASES.items():
        phase = found["phases"][name]
        codes, latency = phase["codes"], phase["accepted_ms"]
        unanswered = phase["sent"] - sum(codes.get(code, 0) for code in ("200", "503"))
        probes = phase["probes"].values()
        rows.append(
            [
                f"{multiple} ({phase['rate']:,.0f} a second, {phase['seconds']:.0f} s)",
                f"{phase['sent']:,}",
                f"{codes.get('200', 0):,}",
                f"{codes.get('503', 0):,}",
                f"{unanswered:,}",
                f"{latency['p50']:.1f}, {latency['p99']:.1f} and {latency['max']:.1f} ms",
                f"{sum(each['answered'] for each in probes)} of {sum(each['asked'] for each in probes)}",
                f"{phase['memory'] / 1e6:.0f} MB",
            ]
        )
    head = [
        "times saturation",
        "requests",
        "accepted",
        "refused with 503",
        "anything else",
        "accepted: median, p99, largest",
        "health and metrics answered",
        "memory after",
    ]
    return table(head, rows)


def overload_after(results: Results) -> str:
    """Return how much is accepted at twice saturation, and how soon full speed returns."""
    found = results["overload"]
    twice, after = found["phases"]["twice"], found["phases"]["half again"]["first_second"]
    share = twice["accepted_per_second"] / found["saturation"]
    return (
        f"Saturation was {found['saturation']:,.0f} requests a second; at twice that {share:.0%} of it was "
        f"still accepted. In the first second after, {after['codes'].get('200', 0):,} of "
        f"{sum(after['codes'].values()):,} requests were accepted, with a p99 of "
        f"{after['accepted_ms']['p99']:.1f} ms.\n"
    )


def soak(results: Results) -> str:
    """Return what became of the requests of a long run with swaps."""
    found = results["soak"]
    answered, latency = sum(found["codes"].values()), found["ms"]
    memory = [each["memory"] for each in found["buckets"] if each["memory"]]
    third = max(1, len(memory) // 3)
    first, last = (sum(part) / len(part) / 1e6 for part in (memory[:third], memory[-third:]))
    rows = [
        ["minutes", f"{found['minutes']:g}"],
        ["requests", f"{answered:,}"],
        ["requests a second, and at saturation", f"{found['rate']:,.0f} and {found['saturation']:,.0f}"],
        ["swaps", f"{found['swaps']:,}"],
        ["requests that were refused with 503", f"{answered - found['codes'].get('200', 0):,}"],
        *([["answers that their version does not give", f"{found['wrong']:,}"]] if "wrong" in found else []),
        ["median, p99, 99.9 %", f"{latency['p50']:.1f}, {latency['p99']:.1f} and {latency['p999']:.1f} ms"],
        ["slowest", f"{latency['max']:.0f} ms"],
        ["memory, mean of the first and of the last third", f"{first:.0f} and {last:.0f} MB"],
    ]
    return table(["", ""], rows)


SERVICE: Mapping[str, Callable[[Results], str]] = {
    "overload": overload,
    "overload_after": overload_after,
    "soak": soak,
}
"""Each table by its name on the page."""
