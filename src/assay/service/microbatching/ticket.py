"""The texts of one request that wait for a model, and what became of them."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

Row = Sequence[int]
"""The token ids of a text."""
Logits = tuple[float, ...]


class Place(NamedTuple):
    """One text of a request: the request's ticket, and the text's number in it."""

    ticket: "Ticket"
    at: int

    @property
    def row(self) -> Row:
        """The token ids of the text."""
        return self.ticket.rows[self.at]


class Ticket:
    """What one request waits for.

    Whoever computes tells ``give`` or ``fail``, from any thread; whoever asked waits in ``wait``. The texts
    that nobody has taken yet are in ``left``, which belongs to the queue and its lock.

    Parameters
    ----------
    rows
        The token ids of the texts.
    deadline
        When its time is up, on the monotonic clock; None: it waits for as long as it takes.
    """

    def __init__(self, rows: Sequence[Row], deadline: float | None = None) -> None:
        self.rows, self.deadline = rows, deadline
        self.left = list(range(len(rows)))
        self.since = time.monotonic()
        self._answers: list[Logits] = [()] * len(rows)
        self._pending = len(rows)
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()

    def give(self, at: int, logits: Logits) -> None:
        """Answer one text."""
        with self._lock:
            self._answers[at] = logits
            self._pending -= 1
            if not self._pending:
                self._done.set()

    def fail(self, error: Exception) -> None:
        """Say that there will be no answer, and why; the first reason stands."""
        with self._lock:
            self._error = self._error or error
            self._done.set()

    def wait(self) -> bool:
        """Wait until all is answered or something failed; return False when the time was up before."""
        left = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        return self._done.wait(left)

    def answers(self) -> list[Logits]:
        """Return the logits of each text; raises what it failed with."""
        if self._error is not None:
            raise self._error
        return self._answers
