"""Slices: how a version does on parts of the held-out rows, by length, source, what decided, any column."""

from pydantic import Field

from assay.config import Frozen
from assay.evaluation.intervals import Interval


class Slice(Frozen):
    """The rows that share a value of one column, and what the decisions on them are worth."""

    by: str
    value: str
    rows: int = Field(ge=0)
    positives: int = Field(ge=0)
    """Rows that truly have the positive label."""
    accuracy: Interval
    f1: Interval
