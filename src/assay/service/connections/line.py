"""Plain requests that have come whole and wait for their answers: first come, first served."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

AT_ONCE = 8
"""Answers of one turn of the event loop, at least."""
SMOOTHING = 0.1
"""How much the newest turn counts in what an answer takes."""
SHARE = 0.5
"""Of the time, what goes to answers at least for as long as there are requests in the line."""
OVERDUE = 1.5
"""How many times longer than was foreseen one may wait: by ``SHARE``, and by pauses that nobody foresees."""


class Line:
    """Requests in the order in which they came, some of which are answered in each turn of the event loop.

    Between turns, what was answered is sent and what has come is read. Answered as it is read, a request that
    has just missed a turn would wait for all of that turn, and then behind all that the next one reads. In
    a crowd most of what is read is turned away; a turn then lasts as long as that took, so that ``SHARE``
    of the time goes to answers whatever comes.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._cost = 0.0
        """Seconds that an answer takes."""
        self._ended = 0.0
        """When the last turn ended, or the line began."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def wait(self) -> float:
        """Seconds that one who joins now is to wait: what those there take, or more if the first is overdue.

        That they have waited is no sign by itself: after a pause the line goes on as fast as before.
        """
        if not self._waiting:
            return 0.0
        return max(len(self._waiting) * self._cost, (self._clock() - self._waiting[0][0]) / OVERDUE)

    def join(self, arrived: float, answer: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Have ``answer`` called after those before; ``arrived`` is on the monotonic clock."""
        if not self._waiting:
            self._ended = self._clock()
            loop.call_soon(self._take_turn, loop)
        self._waiting.append((arrived, answer))

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, count = self._waiting, 0
        began = now = self._clock()
        least = (began - self._ended) * SHARE / (1.0 - SHARE)
        try:
            while waiting and (count < AT_ONCE or now - began < least):
                count += 1
                waiting.popleft()[1]()
                now = self._clock()
        finally:
            self._ended = now
            took = (now - began) / count
            # A pause within a turn says nothing of the next ones.
            self._cost += SMOOTHING * (min(took, 2.0 * self._cost or took) - self._cost)
            if waiting:
                loop.call_soon(self._take_turn, loop)
