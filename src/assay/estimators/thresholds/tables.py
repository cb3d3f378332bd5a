"""What each threshold on a grid would give: the table behind an operating point."""

from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from assay.frozen import Frozen

Estimate = tuple[float, float, float]
"""A value and the two ends of its interval."""


class ThresholdRow(Frozen):
    """The confusion matrix of one label against the rest at a threshold, over the whole cascade.

    A ratio without rows to divide by is None.

    >>> row = ThresholdRow(
    ...     threshold=0.5, true_positives=8, false_positives=2, false_negatives=0, true_negatives=90
    ... )
    >>> row.precision, row.recall, row.alerts
    (0.8, 1.0, 0.1)
    """

    threshold: float = Field(gt=0, le=1)
    true_positives: int = Field(ge=0)
    false_positives: int = Field(ge=0)
    false_negatives: int = Field(ge=0)
    true_negatives: int = Field(ge=0)

    @classmethod
    def of(cls, threshold: float, held: NDArray[np.bool_], given: NDArray[np.bool_]) -> Self:
        """Return the row of a threshold from which rows hold the label and which are given it."""
        return cls(
            threshold=threshold,
            true_positives=int((given & held).sum()),
            false_positives=int((given & ~held).sum()),
            false_negatives=int((~given & held).sum()),
            true_negatives=int((~given & ~held).sum()),
        )

    @property
    def rows(self) -> int:
        """All rows."""
        return self.given + self.false_negatives + self.true_negatives

    @property
    def held(self) -> int:
        """Rows that truly have the label."""
        return self.true_positives + self.false_negatives

    @property
    def given(self) -> int:
        """Rows that are given the label."""
        return self.true_positives + self.false_positives

    @property
    def precision(self) -> float | None:
        """The share of the rows given the label that have it."""
        return _ratio(self.true_positives, self.given)

    @property
    def recall(self) -> float | None:
        """The share of the rows that have the label that are given it."""
        return _ratio(self.true_positives, self.held)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, as 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.true_positives, self.given + self.held)

    @property
    def accuracy(self) -> float | None:
        """The share of rows about which the label, or its absence, is right."""
        return _ratio(self.true_positives + self.true_negatives, self.rows)

    @property
    def alerts(self) -> float | None:
        """The share of rows that are given the label."""
        return _ratio(self.given, self.rows)


class ThresholdTable(Frozen):
    """One label's thresholds on a grid, the chosen one, and how sure it and its metrics are.

    With two labels a threshold is one of the positive label's probability. With more it is one of the
    label's margin, which is its probability's share of itself and the runner-up's, the other labels'
    thresholds kept as they are.
    """

    label: str
    goal: str
    texts_a_day: int = Field(ge=1)
    rows: tuple[ThresholdRow, ...] = Field(min_length=1)
    chosen: ThresholdRow
    low: float | None = Field(ge=0, le=1)
    high: float | None = Field(ge=0, le=1)
    """The 95 % interval of the threshold, chosen again in resamples; None when none reached the goal."""
    resamples: int = Field(ge=0)
    unreached: int = Field(ge=0)
    """Resamples in which no threshold reached the goal; they are not part of the interval."""
    metrics: dict[str, Estimate]
    """Those of the chosen threshold, with their intervals; one that is undefined is left out."""

    @model_validator(mode="after")
    def _rows_agree(self) -> Self:
        if any(a.threshold >= b.threshold for a, b in pairwise(self.rows)):
            raise ValueError("the thresholds of a table must rise")
        if {(row.rows, row.held) for row in (*self.rows, self.chosen)} != {
            (self.chosen.rows, self.chosen.held)
        }:
            raise ValueError("every threshold of a table must be of the same rows")
        if (self.low is None) != (self.high is None) or (self.low or 0) > (self.high or 0):
            raise ValueError(f"the interval of the threshold is [{self.low}, {self.high}]")
        if self.unreached > self.resamples:
            raise ValueError(f"{self.unreached} of {self.resamples} resamples cannot have missed the goal")
        return self

    def alerts_a_day(self, row: ThresholdRow) -> float:
        """Return how many texts a day are given the label at a row's threshold."""
        return (row.alerts or 0.0) * self.texts_a_day


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
