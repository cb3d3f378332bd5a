"""A figure with the bounds of its interval, or the reason why it has none."""

from typing import Self

from pydantic import ConfigDict, model_validator

from assay.config import Frozen

CONFIDENCE = 0.95


class Finite(Frozen):
    """A value object whose numbers are never NaN or infinite, so that it is valid JSON."""

    model_config = ConfigDict(allow_inf_nan=False)


class Interval(Finite):
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
    """Return the share ``hits / rows`` with its exact interval.

    The interval is that of Clopper and Pearson (Biometrika, 1934): it covers the truth at least as often as
    ``confidence`` says, also where no row or every row is a hit. Without rows, ``reason`` says why the
    share is undefined.
    """
    if not rows:
        return Interval(value=None, reason=reason)
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, rows - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, rows - hits)) if hits < rows else 1.0
    return Interval(value=hits / rows, low=low, high=high)
