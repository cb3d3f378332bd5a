"""Where requests are counted: the seam, and the simplest that fills it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from assay.access.gcra import NEVER, Verdict, take
from assay.access.rates import Rate

MAX_SUBJECTS = 65_536
"""Subjects that are remembered; beyond, the one that asked longest ago is forgotten."""


def steady() -> int:
    """Return microseconds of a clock that nobody sets, the same in all processes of a machine."""
    return time.monotonic_ns() // 1_000


class Counting(Protocol):
    """Counts the requests of subjects, each named by a text like ``address:192.0.2.7``."""

    @property
    def fault(self) -> str:
        """Why it counts less well than it was meant to; empty while it does not."""

    async def take(self, subject: str, rate: Rate) -> Verdict:
        """Count one request, and say whether it may pass. Never raises and never waits long."""


class MachineCounting(Counting, Protocol):
    """Counting that waits for nobody: what is counted stays on this machine."""

    def take_now(self, subject: str, rate: Rate, *, cost: int = 1) -> Verdict:
        """Count one request, or with a cost of 0 only look."""


class LocalCounting:
    """Counts in the memory of one process."""

    fault = ""

    def __init__(self, *, clock: Callable[[], int] = steady, subjects: int = MAX_SUBJECTS) -> None:
        """Start with nobody known; ``clock`` returns microseconds that only grow."""
        self._clock, self._subjects = clock, subjects
        self._arrivals: OrderedDict[str, int] = OrderedDict()

    async def take(self, subject: str, rate: Rate) -> Verdict:
        """Count one request."""
        return self.take_now(subject, rate)

    def take_now(self, subject: str, rate: Rate, *, cost: int = 1) -> Verdict:
        """Count one request, or with a cost of 0 only look."""
        arrival, verdict = take(self._arrivals.get(subject, NEVER), self._clock(), rate, cost=cost)
        if cost:
            self._arrivals[subject] = arrival
            self._arrivals.move_to_end(subject)
            if len(self._arrivals) > self._subjects:
                self._arrivals.popitem(last=False)
        return verdict
