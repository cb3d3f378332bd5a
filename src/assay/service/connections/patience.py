"""How long the client of one connection may take."""

from enum import Enum

from assay.service.limits import (
    BODY_BYTES_A_SECOND,
    LEAVING_SECONDS,
    LINGER_SECONDS,
    RESERVED_SECONDS,
    STALLED_SECONDS,
    Limits,
)


class Reading(Enum):
    """What is being read of a request."""

    HEADERS = "headers"
    BODY = "body"


class Patience:
    """Since when a client has been sending what is read now, and how long it may take for it.

    Times are of one monotonic clock, in seconds.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.reading: Reading | None = None
        self.received = 0
        """Bytes of the body so far."""
        self.lingering = False
        """True once the last answer is sent: what still comes is not looked at."""
        self._since = 0.0
        self._hurried = False
        self._unsent = 0
        self._unsent_since = 0.0

    def begin(self, now: float, *, hurried: bool = False) -> None:
        """Wait for headers, unless something is already being read."""
        if self.reading is None:
            self.reading, self._since, self._hurried = Reading.HEADERS, now, hurried

    def body_begins(self, now: float) -> None:
        """Wait for a body."""
        self.reading, self._since, self.received = Reading.BODY, now, 0

    def excuse(self, seconds: float) -> None:
        """Allow so much more, for a delay that is not the client's."""
        self._since += seconds

    def rest(self) -> None:
        """Wait for nothing."""
        self.reading = None

    def linger(self, now: float) -> None:
        """Wait for the client to take the last answer and leave."""
        self.lingering, self._since = True, now

    def allowed(self, *, leaving: bool = False) -> float:
        """Return how many seconds may pass from the beginning of what is read."""
        if self.lingering:
            return LINGER_SECONDS
        if self.reading is Reading.BODY:
            return self.limits.body_seconds + self.received / BODY_BYTES_A_SECOND
        longest = self.limits.header_seconds
        if self._hurried:
            longest = min(longest, RESERVED_SECONDS)
        return min(longest, LEAVING_SECONDS) if leaving else longest

    def is_over(self, now: float, *, leaving: bool = False) -> bool:
        """Return True when the client has taken too long; ``leaving`` when the service is about to stop."""
        awaited = self.lingering or self.reading is not None
        return awaited and now - self._since > self.allowed(leaving=leaving)

    def is_stalled(self, now: float, unsent: int) -> bool:
        """Return True when the client has not taken any of the ``unsent`` bytes of its answer for long."""
        if self._unsent == 0 or unsent < self._unsent:
            self._unsent_since = now
        self._unsent = unsent
        return now - self._unsent_since > STALLED_SECONDS
