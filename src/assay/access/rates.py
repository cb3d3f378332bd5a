"""How much may be asked: ``100/s`` as people write it."""

import re
from dataclasses import dataclass
from functools import cached_property

from assay.exceptions import ConfigError
from assay.moments import SECONDS, UNITS

MAX_PER_SECOND = 10_000
MICROSECONDS = 1_000_000
SURE_BURST = 1_000
"""A rate lets as many requests through at once as its period brings, but of a long period no more than
these, or what ten seconds bring where that is more: ``86400/d`` is no leave to ask 86,400 times now."""

_RATE = re.compile(r"([0-9]{1,9})/([smhd])")


@dataclass(frozen=True)
class Rate:
    """A number of requests in a period of so many seconds."""

    count: int
    period: int

    @cached_property
    def interval(self) -> int:
        """Microseconds from one request to the next when they come evenly.

        A whole number, so that every way to count gives the same answer: at 10,000 a second, where the
        rounding is worst, it is off by half a percent at most.
        """
        return round(self.period * MICROSECONDS / self.count)

    @cached_property
    def burst(self) -> int:
        """How many may come at once after a pause."""
        return min(self.count, max(SURE_BURST, 10 * self.count // self.period))

    def __str__(self) -> str:
        unit = next(name for name, seconds in SECONDS.items() if seconds == self.period)
        return f"{self.count}/{unit}"


def parse_rate(text: str) -> Rate | None:
    """Return the rate that a text like ``100/s`` writes; None for an empty one, which limits nothing.

    Raises ConfigError, with an example, for any other text.
    """
    if not text.strip():
        return None
    found = _RATE.fullmatch(text.strip())
    if not found or int(found[1]) == 0:
        raise ConfigError(
            f"{text!r} is no rate. Write how many requests a period may have, a whole number from 1, and the "
            f"period: {UNITS}; like 100/s, 600/m or 5/d."
        )
    rate = Rate(int(found[1]), SECONDS[found[2]])
    if rate.count > MAX_PER_SECOND * rate.period:
        raise ConfigError(
            f"{text!r} is over {MAX_PER_SECOND:,} requests a second, more than can be counted. Write a lower "
            "rate, or none at all, which limits nothing."
        )
    return rate
