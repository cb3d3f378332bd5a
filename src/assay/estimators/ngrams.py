"""Text to n-grams, as scikit-learn's vectorisers count them."""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from pydantic import model_validator

from assay.families import NgramRange
from assay.frozen import Frozen

TOKEN_PATTERNS = {
    "words": r"(?u)\b\w\w+\b",
    "all-words": r"(?u)\b\w+\b",
    "words-and-punctuation": r"(?u)\w+|[^\w\s]",
}
"""What a token is, by name; each pattern is matched in linear time."""

_find = {name: re.compile(pattern).findall for name, pattern in TOKEN_PATTERNS.items()}
_collapse_spaces = re.compile(r"\s\s+").sub


class NgramSpec(Frozen):
    """Which n-grams of a text are counted and how the counts become weights.

    ``analyzer`` names a token pattern, or ``char`` / ``char_wb`` (characters, across the text or inside
    word bounds). ``tf`` is what a count of c becomes: c, 1 + ln c, or 1. ``norm`` scales a text's vector
    to length 1 (``l2``) or sum 1 (``l1``).
    """

    analyzer: Literal["words", "all-words", "words-and-punctuation", "char", "char_wb"]
    ngrams: NgramRange
    lowercase: bool = True
    strip_accents: Literal["none", "ascii", "unicode"] = "none"
    stop_words: tuple[str, ...] = ()
    tf: Literal["count", "log", "binary"] = "count"
    norm: Literal["l2", "l1", "none"] = "l2"

    @model_validator(mode="after")
    def _range_rises(self) -> "NgramSpec":
        if self.ngrams[0] > self.ngrams[1]:
            raise ValueError(f"ngrams must rise, like [1, 2]; got {list(self.ngrams)}")
        return self


def strip_accents(text: str, how: str) -> str:
    """Return the text without accents: ``unicode`` drops combining marks, ``ascii`` all that is not ASCII."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    if how == "ascii":
        return decomposed.encode("ascii", "ignore").decode("ascii")
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def word_ngrams(tokens: list[str], low: int, high: int) -> list[str]:
    """Return the runs of ``low`` to ``high`` tokens, each joined by one space."""
    grams = list(tokens) if low == 1 else []
    for size in range(max(low, 2), high + 1):
        grams += map(" ".join, zip(*(tokens[start:] for start in range(size)), strict=False))
    return grams


def char_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the runs of ``low`` to ``high`` characters, runs of white space counted as one space."""
    text = _collapse_spaces(" ", text)
    return [text[at : at + size] for size in range(low, high + 1) for at in range(len(text) - size + 1)]


def char_wb_ngrams(text: str, low: int, high: int) -> list[str]:
    """Return the runs of characters inside each word padded by a space; a shorter word counts once, whole."""
    grams = []
    for word in _collapse_spaces(" ", text).split():
        padded = f" {word} "
        for size in range(low, high + 1):
            grams += [padded[at : at + size] for at in range(len(padded) - size + 1)] or [padded]
            if size >= len(padded):
                break
    return grams


def preparation_of(spec: NgramSpec) -> Callable[[str], str]:
    """Return what is done to a text before it is cut."""

    def prepared(text: str) -> str:
        text = text.lower() if spec.lowercase else text
        return text if spec.strip_accents == "none" else strip_accents(text, spec.strip_accents)

    return prepared


def analyzer_of(spec: NgramSpec) -> Callable[[str], list[str]]:
    """Return the function from a text to its n-grams, in the text's order and with repeats."""
    low, high = spec.ngrams
    prepared = preparation_of(spec)

    if spec.analyzer == "char":
        return lambda text: char_ngrams(prepared(text), low, high)
    if spec.analyzer == "char_wb":
        return lambda text: char_wb_ngrams(prepared(text), low, high)
    find, stop = _find[spec.analyzer], frozenset(spec.stop_words)

    def words(text: str) -> list[str]:
        tokens = find(prepared(text))
        return word_ngrams([t for t in tokens if t not in stop] if stop else tokens, low, high)

    return words
