"""What a behaviour test found, and what became of the texts that must be decided rightly."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from assay.evaluation.intervals import Interval
from assay.frozen import Frozen


class Changed(Frozen):
    """One text before and after a change, with the labels given and the scores of the label looked at.

    Long texts are cut to what stands around their first difference; labels and scores are of the whole.
    """

    before: str
    after: str
    labels: tuple[str, str]
    scores: tuple[float, float]


class BehaviourTest(Frozen):
    """What a change of held-out texts did to their decisions.

    The score that is looked at is the probability of one label: of the label that was given before the change
    for invariance and for the expectation ``away``, of the positive label otherwise. A text that a rule
    decided has no score; its label counts as certain.
    """

    name: str
    kind: Literal["invariance", "direction"]
    change: str = ""
    """What was done to the texts, in words for people."""
    expected: str
    """In words for people; empty where nothing is expected."""
    rows: int = Field(ge=0)
    """Rows that the change applies to."""
    failures: Interval
    """The share of these rows that broke the expectation, with its exact interval; undefined without one."""
    flips: int = Field(ge=0)
    """Rows whose label changed."""
    shift: float | None
    """Mean change of the score that is looked at."""
    examples: tuple[Changed, ...] = ()
    """Some of the failures, else some of the flips."""

    def lines(self) -> Iterator[str]:
        """Yield one line for people; none where no row could be changed."""
        if not self.rows:
            return
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        found = f"share that fails {self.failures}" if self.expected else "nothing is expected"
        yield f"Behaviour, {self.name}: {rows} changed, the label of {self.flips:,}; {found}"


class MustPassCase(Frozen):
    """A text of the task file whose label is not open to debate, and what became of it."""

    text: str
    label: str
    decided: str
    """The label given, or why the text cannot be scored."""
    decided_by: str
    """``rule`` or ``model``; empty for a text that cannot be scored."""
    confidence: float
    passed: bool
