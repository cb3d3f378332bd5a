"""What the documentation shows of servers side by side, as Markdown."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.contenders import CONSTANT, PLAIN
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.markdown import spread, table

Results = Mapping[str, Any]
Cells = Sequence[Mapping[str, Any]]
"""What one server gave, in the order of the rounds."""

SERVERS = {
    "assay": "Assay, 1 worker",
    "assay-2w": "Assay, 2 workers",
    "assay-spam": "Assay, the shipped spam task",
    "assay-sentiment": "Assay, the shipped sentiment task",
    CONSTANT: "a constant: FastAPI, `async def`",
    "floor-starlette-uvicorn": "a constant: Starlette",
    "floor-asgi-uvicorn": "a constant: raw ASGI",
    PLAIN: "FastAPI + scikit-learn",
    "mlserver-proba": "MLServer",
    "litserve-1w": "LitServe",
    "mlflow-pyfunc": "MLflow",
    "bentoml-1w": "BentoML",
}
"""The servers in the order of the tables; one that was not measured has no row."""
MAIN = 16
"""Connections of the ratio to the constant."""


def gathered(rounds: Sequence[Mapping[str, Any]], name: str) -> Mapping[tuple[str, int], Cells]:
    """Return the cells of a set by server and connections, in the order of the rounds."""
    found: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for each in rounds:
        for cell in each["cells"]:
            if cell["set"] == name:
                found[cell["server"], cell["connections"]].append(cell)
    return found


def serve(results: Results, name: str) -> str:
    """Return requests a second and latencies of each server with the texts of one set."""
    found = results["serve"]
    cells, connections = gathered(found["rounds"], name), found["settings"]["connections"]
    rows = []
    for server in (each for each in SERVERS if (each, MAIN) in cells):
        row = [SERVERS[server]]
        for count in connections:
            several = cells[server, count]
            rates = [cell["rate"] for cell in several]
            row.append(spread(over_rounds(rates)))
            if count == MAIN:
                base = [cell["rate"] for cell in cells[CONSTANT, count]]
                row.append(spread(ratio_over_rounds(rates, base), ".2f") if base else "")
            row.append(", ".join(latency(several, key) for key in ("p50", "p99")))
        processor = over_rounds([cell["processor_us"] for cell in cells[server, MAIN]])
        rows.append([*row, spread(processor)])
    head = ["server"]
    for count in connections:
        head.append(f"requests a second, {count} connection{'s' if count > 1 else ''}")
        head += ["times the FastAPI constant"] if count == MAIN else []
        head.append("median and p99, ms")
    return table([*head, "processor, us a request"], rows)


def latency(cells: Cells, key: str) -> str:
    """Return the median over rounds of a percentile."""
    return f"{over_rounds([cell[key] for cell in cells])['median']:.2f}"


def serve_noise(results: Results) -> str:
    """Return how long was measured and what else ran on the machine."""
    found = results["serve"]
    others = [cell["cores"]["others"] for each in found["rounds"] for cell in each["cells"]]
    settings, size = found["settings"], found["subject"]["mean_bytes"]
    busy = over_rounds(others)
    return (
        f"{settings['rounds']} rounds of {settings['seconds']:g} s a cell, no request failed; texts of "
        f"{size['long']:,.0f} bytes (IMDB) and {size['short']:,.0f} bytes (SMS) on average. Other processes "
        f"of the machine took {busy['median']:.2f} cores meanwhile (median over cells; at most "
        f"{busy['high']:.2f}).\n"
    )


def stalls(results: Results) -> str:
    """Return how many answers took over 20 ms."""
    found = results["serve"].get("stalls")
    if not found:
        return "Not measured in this run: `python -m benchmarks.serve --stalls`.\n"
    rows = []
    for server, cells in found["servers"].items():
        requests = sum(cell["requests"] for cell in cells)
        worst = max(cell["max"] for cell in cells)
        others = over_rounds([cell["cores"]["others"] for cell in cells])
        stalled = sum(cell["stalls"] for cell in cells)
        rows.append(
            [SERVERS[server], f"{requests:,}", f"{stalled:,}", f"{worst:.1f} ms", spread(others, ".2f")]
        )
    head = ["server", "answers", "over 20 ms", "slowest", "cores that others took"]
    return f"{found['seconds'] / 60:g} minutes each, in turn:\n\n" + table(head, rows)


SERVE: Mapping[str, Callable[[Results], str]] = {
    "serve_long": lambda results: serve(results, "long"),
    "serve_short": lambda results: serve(results, "short"),
    "serve_noise": serve_noise,
    "serve_stalls": stalls,
}
"""Each table by its name on the page."""
