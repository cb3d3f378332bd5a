"""Tables for a terminal: columns that line up."""

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> list[str]:
    """Return the lines of a table, the header first; ``alignment`` holds a letter a column, ``l`` or ``r``.

    >>> print("\\n".join(text_table(("label", "rows"), [("ham", "4,827"), ("spam", "747")], "lr")))
    label   rows
    ham    4,827
    spam     747
    """
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(line, widths, alignment, strict=True)
        ).rstrip()
        for line in lines
    ]
