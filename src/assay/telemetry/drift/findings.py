"""What became of one statistic: how far it is from the profile, whether chance explains it, since when."""

from datetime import datetime
from typing import Literal

from assay.frozen import Frozen
from assay.telemetry.drift.watch import DISTRIBUTION_MATTERS, SHARE_MATTERS

ALPHA = 0.01
"""Chance of any alarm in a look at a span in which nothing changed."""
LEAST_PSI = {"categories": SHARE_MATTERS, "numbers": DISTRIBUTION_MATTERS}
"""PSI beyond what chance makes, from which on there is an alarm; the same as while decisions are made."""
LARGE_PSI, HUGE_PSI = 0.1, 0.25
"""The marks of credit scoring: a change, and another population."""


class Share(Frozen):
    """The bins that tell most of a change: their place, their share now with its interval, and then.

    Of categories it is one bin: the positive label of two, a rule rather than the model, else what changed
    most. Of numbers it is all bins on that side of the telling edge that grew.
    """

    first: int
    last: int
    now: float
    low: float
    high: float
    then: float


class Since(Frozen):
    """Since when a statistic is as it is."""

    kind: Literal["whole", "began", "grew", "shrank", "ended"]
    """``whole``: all through the span; ``began``: at ``at``; ``grew``: it was so before, and more so from
    ``at`` on; ``shrank``: the same, and less so; ``ended``: until ``at``."""
    at: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None
    """The range of 95 % in which the moment lies."""
    p: float | None = None


class Point(Frozen):
    """A stretch of time: the statistic's PSI in it, what chance makes of it, and the share that grew most."""

    begin: datetime
    end: datetime
    decisions: int
    psi: float
    chance: float
    share: float
    low: float
    high: float


class Finding(Frozen):
    """One statistic of a span against the profile."""

    name: str
    kind: str
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    then: tuple[int, ...]
    """Reference rows in each bin."""
    counts: tuple[int, ...]
    """Logged decisions in each bin: those since the change where one began in the span, else all."""
    now: tuple[float, ...]
    """The share of these in each bin, what was not logged counted by the share that was."""
    decisions: int
    psi: float
    chance: float
    """The PSI that chance alone makes on average."""
    p: float
    """Of this statistic alone: that the span is like the profile, or that nothing changed within it."""
    corrected: float
    """By Holm's method over all statistics."""
    alarm: bool
    told: Share | None
    """None where there is too little to compare."""
    since: Since | None
    """None where nothing changed within the span and there is no alarm."""
    points: tuple[Point, ...]

    @property
    def least(self) -> float:
        """The PSI beyond chance from which on there is an alarm."""
        return LEAST_PSI[self.kind]
