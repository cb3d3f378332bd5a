"""A decision as those see it who watch: nothing of its text, or of whom it is from."""

from typing import NamedTuple, Protocol

from assay.estimators import Observed


class Watched(Observed, Protocol):
    """Anything that tells what was observed of a decision, and which version decided."""

    @property
    def task(self) -> str: ...
    @property
    def version(self) -> str: ...


class Seen(NamedTuple):
    """One decision; the fields are those of a ``Record``."""

    id: str
    task: str
    version: str
    label: str
    confidence: float
    score: float | None
    threshold: float | None
    rule: str | None
    characters: int
    unknown: float | None
