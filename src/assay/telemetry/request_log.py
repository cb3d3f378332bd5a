"""The request log: a line for each request, written beside the requests and never in their way."""

import time

from assay.service import Exchange
from assay.telemetry import backlog
from assay.telemetry.backlog import Backlog, Bounds
from assay.telemetry.breath import Breath
from assay.telemetry.counters import Counters
from assay.telemetry.ecs import dropped_line, line_of
from assay.telemetry.logfile import LogFile

PAUSE_SECONDS = backlog.PAUSE_SECONDS

LONGEST_WAITING = 20_000
"""Lines that wait for the disk; more are dropped."""

LONGEST_CONTENT = 32_000_000
"""Characters of texts that wait for the disk; more are dropped with their lines."""

BATCH = 1_000


class RequestLog(Backlog[Exchange]):
    """Takes note of requests at once; a thread of its own writes them.

    Parameters
    ----------
    path
        The file that lines are appended to; ``-`` is standard output.
    metrics
        Where lost lines are counted.
    texts
        Whether lines hold the texts of requests.
    """

    def __init__(self, path: str, *, metrics: Counters, texts: bool = False) -> None:
        """Open the file; raises ConfigError when it cannot be written."""
        super().__init__(
            f"The request log {path}",
            "requests",
            Bounds(LONGEST_WAITING, LONGEST_CONTENT),
            pause=PAUSE_SECONDS,
            on_trouble=lambda trouble: metrics.degraded("request_log", trouble),
        )
        self.texts = texts
        self._file, self._metrics = LogFile(path), metrics
        self._batch: list[bytes] = []
        self._taken = (0, 0, 0)

    def write(self, exchange: Exchange) -> None:
        """Take note of one request that was answered; never waits for a disk."""
        if not self._offer(exchange, 1, sum(map(len, exchange.content))):
            self._metrics.unlogged()

    def _write_batch(self) -> bool:
        if not self._batch:
            self._fill()
        if not self._batch:
            return False
        try:
            done = self._file.append(self._batch)
        except OSError as error:
            self._tell(error.strerror or str(error))
            return False
        del self._batch[:done]
        if not self._batch:
            self._let_go(*self._taken[:2])
            self._taken = (0, 0, 0)
        self._tell("")
        return True

    def _fill(self) -> None:
        taken = self._take(BATCH)
        breath = Breath()
        for exchange in taken.items:
            self._batch.append(line_of(exchange))
            breath.take()
        self._taken = (taken.lines, taken.content, taken.lost)
        if taken.lost:
            self._batch.append(dropped_line(taken.lost, time.time()))

    def _left(self) -> int:
        return super()._left() + self._taken[2]

    def _close(self) -> None:
        self._file.close()
