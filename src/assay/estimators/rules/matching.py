"""The patterns of one view: which of them a text matches, and where."""

from collections.abc import Iterator, Sequence

import re2

from assay.estimators.rules.patterns import PatternSet, compile_pattern
from assay.estimators.rules.word_edges import expand, has_edges

NOTHING = [0]
"""What a search returns for a text that matches no pattern: the number that every text has."""
MAX_SPANS = 100
"""The most places of one pattern in one text that are told."""

ASCII = bytes(range(128))
WORDS_BEYOND_ASCII = "|".join(rf"[^\x00-\x7F\P{kind}]" for kind in "LMN")


class Matcher:
    r"""Patterns, numbered from 1, that are searched in one pass of RE2.

    RE2's own ``\b`` serves as an edge of words where a text has no letter, mark or digit beyond ASCII. In
    other texts a pattern with edges is first searched without them, and confirmed by a search of its own.
    """

    def __init__(self, patterns: Sequence[str], *, max_mem: int) -> None:
        expansions = [expand(pattern) if has_edges(pattern) else None for pattern in patterns]
        both = list(zip(expansions, patterns, strict=True))
        self._exact = ["", *(edges.exact if edges else pattern for edges, pattern in both)]
        self._expansions = [None, *expansions]
        self._compiled: dict[int, re2._Regexp] = {}
        self._set = PatternSet([edges.plain if edges else pattern for edges, pattern in both], max_mem)
        self.match_ascii = self._set.match
        """The set's bare search, which answers for texts in ASCII with a call less than ``match``."""
        self._loose = self._set
        if any(expansions):
            self._loose = PatternSet([e.loose if e else pattern for e, pattern in both], max_mem)
        self._beyond_ascii = PatternSet([WORDS_BEYOND_ASCII], max_mem)

    def match(self, text: str, encoded: bytes) -> list[int] | None:
        """Return the numbers of the patterns that a text matches, in no order and with a 0 (see NOTHING).

        ``encoded`` is the text in UTF-8. None where memory ran out: ``match_each`` answers then.
        """
        if self._loose is self._set or text.isascii() or not self._has_words_beyond_ascii(encoded):
            return self._set.search(encoded)
        found = self._loose.search(encoded)
        if found is None:
            return None
        return [n for n in found if self._expansions[n] is None or self._fires(n, encoded)]

    def match_each(self, encoded: bytes) -> list[int]:
        """Return the numbers of the patterns that a text matches, by one search a pattern."""
        return [number for number in range(1, len(self._exact)) if self._fires(number, encoded)]

    def spans(self, number: int, text: str) -> list[tuple[int, int]]:
        """Return the first places where a pattern matches more than nothing, in characters, rising."""
        encoded = text.encode()
        at, characters, spans = 0, 0, []
        for start, end in self._places(number, encoded):
            first = characters + len(encoded[at:start].decode())
            at, characters = end, first + len(encoded[start:end].decode())
            spans.append((first, characters))
        return spans

    def _places(self, number: int, encoded: bytes) -> Iterator[tuple[int, int]]:
        edges, regex = self._expansions[number], self._regex(number)
        at = done = 0
        for _ in range(MAX_SPANS):
            found = regex.search(encoded, at)
            if found is None:
                return
            start, end = found.span(found.lastindex if edges else 0)
            at = end if start < end else _step(encoded, end, 1)
            if done <= start < end:
                yield start, end
                done = end
                # The character before a word may be the last one of the match before it.
                at = _step(encoded, end, -1) if edges else end

    def _has_words_beyond_ascii(self, encoded: bytes) -> bool:
        # Without memory to tell, it may have: the longer way is right for every text.
        return self._beyond_ascii.search(encoded.translate(None, ASCII)) != NOTHING

    def _fires(self, number: int, encoded: bytes) -> bool:
        return self._regex(number).search(encoded) is not None

    def _regex(self, number: int) -> re2._Regexp:
        if number not in self._compiled:
            self._compiled[number] = compile_pattern(self._exact[number].encode())
        return self._compiled[number]


def _step(encoded: bytes, at: int, by: int) -> int:
    """Return the nearest beginning of a character after or before a place in UTF-8."""
    at += by
    while 0 < at < len(encoded) and encoded[at] & 0xC0 == 0x80:
        at += by
    return at
