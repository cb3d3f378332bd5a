"""What the documentation shows of encoders, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.markdown import spread, table

Results = Mapping[str, Any]
ENCODERS = {"minilm": "MiniLM-L6", "distilbert": "DistilBERT"}


def encoder(results: Results) -> str:
    """Return the milliseconds of one text in each way."""
    found, rows = results["encoder"], []
    for name, told in found["encoders"].items():
        for way, times in told["ways"].items():
            rows.append(
                [
                    f"{ENCODERS[name]}: {way}",
                    f"{spread(times['clock'], '.1f')} ms",
                    f"{spread(times['processor'], '.1f')} ms",
                    "" if way == "torch" else spread(times["of_torch"], ".2f"),
                    spread(told["int8_of_fp32"], ".2f") if way == "int8" else "",
                    f"{told['products'][way]:.1f} ms" if way in told["products"] else "",
                ]
            )
    one = f"one text, {found['tokens']} tokens, {found['threads']} threads"
    head = [one, "on the clock", "of the processor", "times torch's", "times fp32's", "matrix products alone"]
    return table(head, rows)


ENCODER: Mapping[str, Callable[[Results], str]] = {"encoder": encoder}
"""Each table by its name on the page."""
