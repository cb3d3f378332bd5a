"""The generic cell rate algorithm: one number remembers all that a rate needs of the past.

Source: ITU-T Recommendation I.371, "Traffic control and congestion control in B-ISDN", section 5.4.1 and
annex A (virtual scheduling). A request is a cell; the number is the theoretical arrival time (TAT) of the
next one, and the tolerance is what a burst takes at the even pace.
"""

import math
from functools import lru_cache
from typing import NamedTuple

from assay.access.rates import MICROSECONDS, Rate

NEVER = 0
"""The arrival time of a subject that was not seen yet."""

RATES_REMEMBERED = 256
"""Rates of which it need not be worked out again what they leave to somebody new."""


class Verdict(NamedTuple):
    """Whether one request may pass, and what is left.

    ``retry_after`` and ``reset`` are seconds: until the next one may pass (0 for one that passed), and until
    the whole ``limit`` is there again.
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset: float

    def headers(self) -> dict[str, str]:
        """Return what a client is told of its limit, seconds rounded up: who waits them passes."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset)),
        }
        return told if self.allowed else {"Retry-After": str(max(1, math.ceil(self.retry_after))), **told}


def take(arrival: int, now: int, rate: Rate, *, cost: int = 1) -> tuple[int, Verdict]:
    """Return the arrival time after a request, and whether the request may pass.

    Parameters
    ----------
    arrival
        What the last call returned for this subject, in microseconds of the same clock; ``NEVER`` at first.
    now
        The present moment in microseconds.
    rate
        How much is allowed.
    cost
        1 counts the request; 0 only looks whether one could pass.
    """
    full = rate.burst * rate.interval
    # A clock that was set back, or a rate that was raised, makes nobody wait longer than a spent burst does.
    arrival = min(max(arrival, now), now + full)
    wait = arrival + rate.interval - now - full
    if wait <= 0 and cost:
        arrival += rate.interval
    return arrival, verdict_of(rate, arrival - now, wait)


@lru_cache(maxsize=RATES_REMEMBERED)
def untouched(rate: Rate) -> Verdict:
    """Return the verdict on a subject that has asked for nothing yet, before its first request."""
    return take(NEVER, NEVER, rate, cost=0)[1]


def verdict_of(rate: Rate, ahead: int, wait: int) -> Verdict:
    """Return the verdict on a subject whose arrival time lies so many microseconds ahead.

    A request may pass after ``wait`` microseconds, which are 0 or less where it may pass now.
    """
    return Verdict(
        allowed=wait <= 0,
        limit=rate.burst,
        remaining=rate.burst + -ahead // rate.interval,
        retry_after=max(0, wait) / MICROSECONDS,
        reset=ahead / MICROSECONDS,
    )
