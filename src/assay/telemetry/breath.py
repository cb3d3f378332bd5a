"""Pauses in long work beside the service."""

import time

HOLD_SECONDS = 0.0002
"""How long work may go on at a stretch: whoever answers requests waits for the interpreter meanwhile."""
PAUSE_SECONDS = 0.0005


class Breath:
    """Lets others have the interpreter now and then.

    Python by itself lets them wait for 5 ms, each time that they have waited for a client.
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def take(self) -> None:
        """Pause, if the work has gone on for long enough; it may be called for each line of a file."""
        if time.perf_counter() - self._since >= HOLD_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._since = time.perf_counter()
