"""What to show of two long texts: the part around their first difference."""

SHOWN = 240
"""Characters of a text that are shown, at most."""
LED_BY = 80
"""Characters before the first difference that are among them."""


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Return both texts, or where one is longer than ``SHOWN``, their parts around the first difference.

    >>> [len(part) for part in excerpts("a" * 1000 + "b", "a" * 1000 + "c")]
    [82, 82]
    """
    if max(len(before), len(after)) <= SHOWN:
        return before, after
    pairs = enumerate(zip(before, after, strict=False))
    same = next((place for place, (a, b) in pairs if a != b), min(len(before), len(after)))
    start = max(0, same - LED_BY)
    return _part(before, start), _part(after, start)


def _part(text: str, start: int) -> str:
    end = start + SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
