"""Passes over a text that can tell their edits, so that each character can be followed to its source."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

__all__ = ["CaseFolding", "Compatibility", "Edit", "Match", "Step", "Substitution"]

Edit = tuple[int, int, str]
"""Start and end of a stretch of the text, and what stands there afterwards."""

Match = re.Match[str]


class Step(Protocol):
    """One pass over a text; ``edits`` are what ``apply`` changes, in order and apart."""

    def apply(self, text: str) -> str:
        """Return the changed text."""

    def edits(self, text: str) -> Iterator[Edit]:
        """Yield the edits that make the changed text."""


class Substitution(NamedTuple):
    """Replaces what a pattern finds, in texts that ``needed`` says may hold it."""

    needed: Callable[[str], object]
    pattern: re.Pattern[str]
    replace: Callable[[Match], str] | str
    """A function of the match, or plain text without group references."""

    def apply(self, text: str) -> str:
        """Return the text with every match replaced."""
        return self.pattern.sub(self.replace, text) if self.needed(text) else text

    def edits(self, text: str) -> Iterator[Edit]:
        """Yield an edit a match."""
        if self.needed(text):
            for match in self.pattern.finditer(text):
                new = self.replace if isinstance(self.replace, str) else self.replace(match)
                yield match.start(), match.end(), new


class CaseFolding:
    """Unicode's full case folding, which takes characters one by one."""

    def apply(self, text: str) -> str:
        """Return the text in lower case, sharp s as ss."""
        return text.casefold()

    def edits(self, text: str) -> Iterator[Edit]:
        """Yield an edit a character that changes."""
        folded = ((at, character.casefold()) for at, character in enumerate(text))
        return ((at, at + 1, new) for at, new in folded if new != text[at])


class Compatibility:
    """NFKC, in pieces where more than 32 signs beyond ASCII follow each other that are no letters.

    The pieces bound the sorting of combining marks, which takes time squared in their number (UAX #15,
    section 13, bounds them for the same reason).
    """

    def __init__(self) -> None:
        self._pieces = re.compile(r"[\x00-\x7f]?(?:[^\W\x00-\x7f]+[^\w\x00-\x7f]{0,32}|[^\w\x00-\x7f]{1,32})")
        self._clusters = re.compile(r"(?s).[^\w\x00-\x7f]*")

    def apply(self, text: str) -> str:
        """Return the text in NFKC."""
        if text.isascii() or unicodedata.is_normalized("NFKC", text):
            return text
        return self._pieces.sub(lambda piece: _nfkc(piece[0]), text)

    def edits(self, text: str) -> Iterator[Edit]:
        """Yield an edit a letter with its marks, or a whole piece where letters compose (Hangul)."""
        if self.apply(text) == text:
            return
        for piece in self._pieces.finditer(text):
            clusters = [(found.span(), _nfkc(found[0])) for found in self._clusters.finditer(piece[0])]
            whole = _nfkc(piece[0])
            if "".join(new for _, new in clusters) != whole:
                clusters = [((0, len(piece[0])), whole)]
            yield from ((piece.start() + start, piece.start() + end, new) for (start, end), new in clusters)


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
