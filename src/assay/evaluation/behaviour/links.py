"""A link at the end of a text."""

import re

LINK = "https://www.example.com"
"""Leads nowhere (RFC 2606 keeps the domain for examples), and says little."""
_link = re.compile(r"://|\bwww\.|\w\.(?:com|net|org|info|co|uk|ly)\b", re.IGNORECASE)


def add_link(text: str) -> str | None:
    """Return a text with a link at its end; None where it holds one.

    >>> add_link("see you there")
    'see you there https://www.example.com'
    """
    if _link.search(text):
        return None
    return f"{text}{'' if text[-1].isspace() else ' '}{LINK}"
