"""Text as those write it who hope that a filter does not read it."""

import numpy as np

LEET = str.maketrans("aeiost", "431057")
HOMOGLYPHS = str.maketrans("aceiopxy", "\u0430\u0441\u0435\u0456\u043e\u0440\u0445\u0443")
"""Latin letters and the Cyrillic ones that look like them."""


def disguised(text: str, rng: np.random.Generator) -> str:
    """Return a text with its letters spaced out, digits for letters, or letters of another script."""
    kind = rng.integers(3)
    if kind == 0:
        return " ".join(" ".join(word) if len(word) > 3 else word for word in text.split())
    return text.translate(LEET if kind == 1 else HOMOGLYPHS)
