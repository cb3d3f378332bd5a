"""What the documentation shows of encoders over HTTP, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.markdown import spread, table

Results = Mapping[str, Any]

PEER = "fastapi-torch"
SERVERS = {
    PEER: "FastAPI + torch, one text a call",
    "assay-fp32": "Assay, fp32",
    "assay-int8": "Assay, int8",
    "assay-fp32-cached": "Assay, fp32, cache on, texts that come again (Zipf)",
    "assay-int8-cached": "Assay, int8, cache on, texts that come again (Zipf)",
}
"""The servers in the order of the table."""


def serve_encoder(results: Results) -> str:
    """Return requests a second and latencies of each server."""
    found = results["serve_encoder"]
    cells = {
        name: [cell for each in found["rounds"] for cell in each["cells"] if cell["server"] == name]
        for name in SERVERS
    }
    base = [cell["rate"] for cell in cells[PEER]]
    rows = []
    for name, several in cells.items():
        rates = [cell["rate"] for cell in several]
        median, slowest = (over_rounds([cell[key] for cell in several])["median"] for key in ("p50", "p99"))
        times = spread(ratio_over_rounds(rates, base), ".1f")
        rows.append(
            [SERVERS[name], spread(over_rounds(rates), ".1f"), times, f"{median:,.0f}, {slowest:,.0f}"]
        )
    return table(["server", "requests a second", "times FastAPI + torch", "median and p99, ms"], rows)


def serve_encoder_noise(results: Results) -> str:
    """Return how long was measured, with what, and what else ran on the machine."""
    found = results["serve_encoder"]
    settings, libraries = found["settings"], found["versions"]
    busy = over_rounds([cell["cores"]["others"] for each in found["rounds"] for cell in each["cells"]])
    named = ", ".join(f"{name} {number}" for name, number in libraries.items())
    return (
        f"{settings['rounds']} rounds of {settings['seconds']:g} s a server on {settings['cores']} cores, "
        f"{settings['connections']} connections, {settings['tokens']} tokens of each text, {named}. Other "
        f"processes of the machine took {busy['median']:.2f} cores meanwhile (median over cells; at most "
        f"{busy['high']:.2f}).\n"
    )


SERVE_ENCODER: Mapping[str, Callable[[Results], str]] = {
    "serve_encoder": serve_encoder,
    "serve_encoder_noise": serve_encoder_noise,
}
"""Each table by its name on the page."""
