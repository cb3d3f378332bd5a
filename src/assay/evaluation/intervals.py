"""A figure with the bounds of its interval, or the reason why it has none."""

from typing import Self

from pydantic import model_validator

from assay.estimators import CONFIDENCE, share_bounds
from assay.frozen import Frozen

NO_ROWS = "there are no rows"
"""The usual reason why a figure is undefined."""


class Interval(Frozen):
    """A figure with the bounds of its interval, or the reason why it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.value is None) != bool(self.reason):
            raise ValueError("an interval has either a value or the reason why it has none")
        return self

    def __str__(self) -> str:
        return self.text(4)

    def text(self, digits: int) -> str:
        """Return value and bounds with a number of decimal places."""
        if self.value is None:
            return "undefined"
        if self.low is None or self.high is None:
            return f"{self.value:.{digits}f}"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"

    def holds(self, value: float) -> bool:
        """Return whether a value lies within the bounds."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high


def exact_interval(hits: int, rows: int, *, reason: str, confidence: float = CONFIDENCE) -> Interval:
    """Return the share ``hits / rows`` with its exact interval, or without rows the ``reason``."""
    if not rows:
        return Interval(value=None, reason=reason)
    low, high = share_bounds(hits, rows, confidence=confidence)
    return Interval(value=hits / rows, low=low, high=high)
