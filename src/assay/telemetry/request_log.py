"""The request log: a line for each request, written beside the requests and never in their way."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from assay.service import Exchange
from assay.telemetry.counters import Counters
from assay.telemetry.ecs import dropped_line, line_of
from assay.telemetry.logfile import LogFile

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
"""Between two writes; what came in this time is lost when the process is killed."""

STOP_SECONDS = 5.0
"""How long the end of the service waits for a disk."""

LONGEST_WAITING = 20_000
"""Lines that wait for the disk; more are dropped."""

LONGEST_CONTENT = 32_000_000
"""Characters of texts that wait for the disk; more are dropped with their lines."""

BATCH = 1_000


class RequestLog:
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
        self.texts = texts
        self._file, self._metrics = LogFile(path), metrics
        self._lock = threading.Lock()
        self._waiting: deque[Exchange] = deque()
        self._batch: list[bytes] = []
        self._lines = self._content = self._lost = 0
        self._taken = (0, 0, 0)
        self._stopping = threading.Event()
        self._troubled = False

    def write(self, exchange: Exchange) -> None:
        """Take note of one request that was answered; never waits for a disk."""
        content = sum(map(len, exchange.content))
        with self._lock:
            full = self._lines >= LONGEST_WAITING or self._content + content > LONGEST_CONTENT
            lost = full or self._stopping.is_set()
            if lost:
                self._lost += 1
            else:
                self._waiting.append(exchange)
                self._lines += 1
                self._content += content
        if lost:
            self._metrics.unlogged()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write while the block runs, and at its end what is left, if the disk takes it soon enough."""
        thread = threading.Thread(target=self._run, name="request log", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join(STOP_SECONDS)
            lost = self._lines + self._lost + self._taken[2]
            if lost:
                logger.error("The request log %s has no line of %s requests.", self._file.path, f"{lost:,}")
            if not thread.is_alive():
                self._file.close()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            # What comes between the last look and the end would wait for ever, so it looks once more.
            stopping = self._stopping.wait(PAUSE_SECONDS)
            while self._write_batch():
                pass

    def _write_batch(self) -> bool:
        """Write some lines; return whether more wait that can be written at once."""
        if not self._batch:
            self._take()
        if not self._batch:
            return False
        try:
            done = self._file.append(self._batch)
        except OSError as error:
            self._trouble(error.strerror or str(error))
            return False
        del self._batch[:done]
        if not self._batch:
            with self._lock:
                self._lines -= self._taken[0]
                self._content -= self._taken[1]
            self._taken = (0, 0, 0)
        self._trouble("")
        return True

    def _take(self) -> None:
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            lost, self._lost = self._lost, 0
        self._batch = [line_of(exchange) for exchange in taken]
        content = sum(len(text) for exchange in taken for text in exchange.content)
        self._taken = (len(taken), content, lost)
        if lost:
            self._batch.append(dropped_line(lost, time.time()))

    def _trouble(self, reason: str) -> None:
        if bool(reason) == self._troubled:
            return
        self._troubled = bool(reason)
        self._metrics.degraded("request_log", self._troubled)
        if reason:
            kept = f"Up to {LONGEST_WAITING:,} lines wait in memory; more are dropped and counted."
            logger.error("The request log %s cannot be written: %s. %s", self._file.path, reason, kept)
        else:
            logger.warning("The request log %s is written again.", self._file.path)
