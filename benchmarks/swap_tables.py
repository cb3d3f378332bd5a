"""What the documentation shows of the swaps, as Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import table

Results = Mapping[str, Any]

MOVES = {
    "promotion_told": "promotion, `POST /v1/admin/refresh`",
    "promotion_polled": "promotion, found by polling",
    "rollback_told": "rollback, `POST /v1/admin/refresh`",
    "rollback_polled": "rollback, found by polling",
}
STORES = {"sqlite": "SQLite", "server": "MLflow server"}


def swaps(results: Results) -> str:
    """Return what clients saw while versions were swapped."""
    found = results["swaps"]["swaps"]
    failed = sum(found["failed"].values())
    memory = found["memory_mib"]
    settled = memory[len(memory) // 5 :]
    rows = [
        ["swaps, each to a version that had to be loaded", f"{found['swaps']:,} in {found['seconds']:.0f} s"],
        ["requests answered meanwhile and before", f"{found['requests']:,}, by {found['clients']} clients"],
        ["requests that failed", f"{failed:,}"],
        ["answers that mixed versions or had another version's score", f"{found['mixed']:,}"],
        ["seconds of a refresh, median and largest", _seconds(found["refresh"])],
        ["memory at the start", f"{memory[0]:.0f} MiB"],
        ["memory after a fifth of the swaps, and at the end", f"{settled[0]:.0f} and {memory[-1]:.0f} MiB"],
        ["one text, without swaps: median, p99, largest", _latency(found["latency"]["without"])],
        ["one text, while swapping: median, p99, largest", _latency(found["latency"]["with"])],
    ]
    return table(["", ""], rows)


def swap_times(results: Results) -> str:
    """Return the seconds between the end of a command and the first answer of the version it named."""
    rows = [
        [name, *(_seconds(results["swaps"][store][move]) for store in STORES)] for move, name in MOVES.items()
    ]
    commands = ["the command itself: promotion", "the command itself: rollback"]
    for name, move in zip(commands, ("promotion_told", "rollback_told"), strict=True):
        rows.append([name, *(_seconds(results["swaps"][store][f"command_{move}"]) for store in STORES)])
    return table(["seconds, median and largest", *STORES.values()], rows)


def collector(results: Results) -> str:
    """Return what the garbage collector costs with and without the freeze."""
    found = results["swaps"]["collector"]
    return (
        f"A loaded version adds {found['objects']:,} objects that the garbage collector knows of. A full "
        f"collection takes {found['frozen_ms']:.1f} ms with what was there at the start frozen, "
        f"{found['unfrozen_ms']:.0f} ms without.\n"
    )


def _seconds(measured: Mapping[str, float]) -> str:
    return f"{measured['median']:.2f} and {measured['max']:.2f} ({measured['of']:,.0f})"


def _latency(measured: Mapping[str, float]) -> str:
    median, p99, largest = (measured[name] * 1000 for name in ("median", "p99", "max"))
    return f"{median:.1f}, {p99:.1f} and {largest:.1f} ms"


SWAPS = {"swaps": swaps, "swap_times": swap_times, "collector": collector}
