"""Plain requests that have come whole and wait for their answers: first come, first served."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

AT_ONCE = 8
"""Answers of one turn of the event loop."""


class Line:
    """Requests in the order in which they came, a few of which are answered in each turn of the event loop.

    Between turns, what was answered is sent and what has come is read. Answered as it is read, a request that
    has just missed a turn would wait for all of that turn, and then behind all that the next one reads.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waited(self) -> float:
        """Seconds since the first one in the line came; 0 when nobody waits."""
        return time.perf_counter() - self._waiting[0][0] if self._waiting else 0.0

    def join(self, arrived: float, answer: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Have ``answer`` called after those before; ``arrived`` is on the monotonic clock."""
        if not self._waiting:
            loop.call_soon(self._take_turn, loop)
        self._waiting.append((arrived, answer))

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = self._waiting
        try:
            for _ in range(min(AT_ONCE, len(waiting))):
                waiting.popleft()[1]()
        finally:
            if waiting:
                loop.call_soon(self._take_turn, loop)
