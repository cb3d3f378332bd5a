"""One rule, and where it fired."""

from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from assay.config import Name
from assay.frozen import Frozen

MAX_PATTERN = 2_000
"""The longest pattern, in characters."""

Words = Annotated[str, Field(min_length=1)]


class Rule(Frozen):
    """A named pattern and what it means where it is found.

    ``decide``: its label is final. ``evidence``: it is a feature of the model. ``view`` is what it reads: the
    text as it came (``raw``) or normalised (``folded``); ``expires`` is the last day on which it is on.
    """

    id: Name
    pattern: str = Field(min_length=1, max_length=MAX_PATTERN)
    label: str
    action: Literal["decide", "evidence"]
    view: Literal["raw", "folded"] = "raw"
    expires: date | None = None
    note: str = ""
    examples: tuple[Words, ...] = Field(min_length=1)
    """Texts that the rule must match."""
    counterexamples: tuple[Words, ...] = ()
    """Texts that it must not match."""


class Hit(NamedTuple):
    """A rule that fired, with the characters of the original text that it matched: (start, end) pairs."""

    rule: Rule
    spans: list[tuple[int, int]]
