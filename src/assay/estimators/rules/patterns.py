"""Patterns in RE2: compiled quietly, searched in time linear in the text."""

from collections.abc import Callable, Sequence

import re2

PATTERN_MEMORY = 8 << 20
"""What one compiled pattern may take, in bytes; it is slower, never wrong, where that is too little."""
SET_MEMORY = 64 << 20
"""What one set of patterns may take, in bytes: 1,000 rules of two words each fit, and 50 take a fraction."""


def options(memory: int) -> re2.Options:
    """Return RE2's usual options with a limit on memory and without messages on standard error."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = memory
    return chosen


def compile_pattern(pattern: str | bytes) -> re2._Regexp:
    """Return a compiled pattern, which reads what it is itself: text or UTF-8.

    Raises ValueError with RE2's own words where it refuses the pattern.
    """
    try:
        return re2.compile(pattern, options(PATTERN_MEMORY))
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode(errors="replace") if isinstance(said, bytes) else said) from error


class PatternSet:
    """Patterns that are searched in one pass.

    RE2 answers "none" both where none matches and where memory ran out. A canary that matches every text
    tells the two apart.
    """

    def __init__(self, patterns: Sequence[str], memory: int) -> None:
        compiled = re2.Set.SearchSet(options(memory))
        compiled.Add("^")
        for pattern in patterns:
            compiled.Add(pattern)
        try:
            compiled.Compile()
            self.compiled = True
        except re2.error:
            self.compiled = False
        self.match: Callable[[bytes], list[int] | None] = compiled.Match if self.compiled else _never
        """The bare search: what it finds counts only with a 0 among it."""

    def search(self, text: bytes) -> list[int] | None:
        """Return the numbers, from 1 and in no order, of the patterns that a text matches, and 0.

        None where memory ran out. Several threads may search at once.
        """
        found = self.match(text)
        return found if found and 0 in found else None


def _never(_text: bytes) -> None:
    return None
