"""What the documentation shows of the decision log, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.markdown import table

Results = Mapping[str, Any]

SETS = {"sms": "SMS", "imdb": "film reviews (IMDB)"}


def log_cost(results: Results) -> str:
    """Return what a write costs a request, and a decision the thread beside it."""
    found = results["decision_log"]
    log, empty = found["write"]["log"], found["write"]["empty"]
    said = (
        f"A write takes {log['median']:.2f} us (99 of 100 under {log['p99']:.1f} us), "
        f"of which a call that does nothing takes {empty['median']:.2f} ({empty['p99']:.1f}); "
        f"{found['writes']:,} writes.\n\n"
    )
    rows = [
        [
            f"{name}, {found['decision'][key]['characters']:,.0f} characters",
            f"{found['decision'][key]['hash']:.1f} us",
            f"{found['decision'][key]['redacted']['us']:.1f} us",
            f"{found['decision'][key]['full']:.1f} us",
            f"{found['decision'][key]['redaction']:.1f} us",
        ]
        for key, name in SETS.items()
    ]
    return said + table(
        ["texts, mean length", "`hash`", "`redacted`", "`full`", "of it redaction alone"], rows
    )


def log_speed(results: Results) -> str:
    """Return what became of decisions made as fast as possible."""
    found = results["decision_log"].get("full_speed")
    if found is None:
        return "Not measured yet: `python -m benchmarks.decision_log --minutes 5`.\n"
    memory = found["memory"]
    rows = [
        [
            f"{found['seconds'] / 60:.1f}",
            f"{found['offered']:,}",
            f"{found['written']:,}",
            f"{found['dropped']:,}",
            f"{found['most_waiting']:,}",
            f"{found['closed']:,} ({found['compressed']:,} compressed)",
            f"{memory['after_warm_up'] / 1e6:.0f} and {memory['end'] / 1e6:.0f} MB",
        ]
    ]
    head = [
        "minutes",
        "decisions",
        "written",
        "dropped",
        "waited at most",
        "files closed",
        "memory, 10 s in and at the end",
    ]
    return table(head, rows)


LOG: dict[str, Callable[[Results], str]] = {"log_cost": log_cost, "log_speed": log_speed}
