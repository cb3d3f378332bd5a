"""Markdown that no label, message or description can break."""

import html
from collections.abc import Iterator, Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> Iterator[str]:
    """Yield the lines of a table; ``alignment`` holds a letter a column, ``l`` or ``r``."""
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---:' if side == 'r' else '---' for side in alignment)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def fence(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines that are shown as they are."""
    yield "```text"
    yield from (line.replace("```", "'''") for line in lines)
    yield "```"


def code(text: str) -> str:
    """Return a text as code that no character of it can end, inside a table or out."""
    ordinary = text == " ".join(text.split()) and not set(text) & set("`|<&\\")
    return f"`{text}`" if ordinary else f"<code>{plain(text)}</code>"


def plain(text: str) -> str:
    """Return a text on one line without the marks that would mean something to Markdown."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    for mark in "\\`*[]|":
        escaped = escaped.replace(mark, f"&#{ord(mark)};")
    return escaped
