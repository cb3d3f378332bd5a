"""Cells that a spreadsheet shows, and does not run as formulas."""

import re
from typing import Any

FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a cell begins with that a spreadsheet may run: the signs, their full-width forms, and the white
space that some programs drop before they look."""
NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?|[+-]?\.[0-9]+")
"""What begins with a sign and is a plain number all the same, with a point or a comma."""


def safe_cell(value: Any) -> Any:
    """Return a cell as a spreadsheet may be given it: what would be a formula with an apostrophe before it.

    Numbers stay, and so does all that is not text. Source: OWASP, CSV Injection.
    """
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return "'" + value
    return value
