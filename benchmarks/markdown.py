"""Measured figures as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    drawn = ["|" + "|".join(line) + "|" if line[0] == "---" else f"| {' | '.join(line)} |" for line in lines]
    return "\n".join(drawn) + "\n"


def cell(measured: Mapping[str, Any]) -> str:
    """Return a counted share with its interval for a table."""
    interval = f"{measured['low']:.2%} to {measured['high']:.2%}"
    return f"{measured['share']:.2%} ({interval}; {measured['hits']:,} of {measured['of']:,})".replace(
        "%", " %"
    )


def value(measured: Mapping[str, Any], form: str = ".4f") -> str:
    """Return a value with its interval for a table."""
    return f"{measured['value']:{form}} ({measured['low']:{form}} to {measured['high']:{form}})"


def micro(measured: Mapping[str, Any]) -> str:
    """Return microseconds: the median over texts and the middle nine tenths."""
    return f"{measured['median']:.1f} us ({measured['p5']:.1f} to {measured['p95']:.1f})"


def spread(found: Mapping[str, Any], form: str = ",.0f", by: float = 1.0) -> str:
    """Return the median of rounds with the lowest and the highest; alone where there is one round."""
    middle = f"{found['median'] / by:{form}}"
    if found["rounds"] == 1:
        return middle
    return f"{middle} ({found['low'] / by:{form}} to {found['high'] / by:{form}})"
