"""Behaviour tests: known changes of a text, and what became of the decision (after Ribeiro et al. 2020)."""

from typing import Literal

from pydantic import Field

from assay.config import Frozen
from assay.evaluation.intervals import Interval


class Changed(Frozen):
    """One text before and after a change, with the labels given and the scores of the label looked at."""

    before: str
    after: str
    labels: tuple[str, str]
    scores: tuple[float, float]


class BehaviourTest(Frozen):
    """What a change of held-out texts did to their decisions."""

    name: str
    kind: Literal["invariance", "direction"]
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


class MustPassCase(Frozen):
    """A text of the task file whose label is not open to debate, and what became of it."""

    text: str
    label: str
    decided: str
    decided_by: str
    confidence: float
    passed: bool
