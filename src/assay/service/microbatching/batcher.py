"""Threads that take texts out of a queue in batches and have a model answer them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.exceptions import RequestRefused
from assay.service.limits import RETRY_SECONDS
from assay.service.microbatching.counts import BatchSink
from assay.service.microbatching.queue import TextQueue
from assay.service.microbatching.ticket import Logits, Place, Row, Ticket

if TYPE_CHECKING:
    from assay.estimators import Floats

logger = logging.getLogger(__name__)

Run = Callable[[Sequence[Row]], "Floats"]
"""Answers rows of token ids, shape (rows, logits)."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How texts are put together; the settings of the same names, with ``encoder_`` before, say what each is.

    ``sessions`` batches are computed at the same time.
    """

    sessions: int = 1
    batch_tokens: int = 256
    wait_ms: float = 2.0
    queue: int = 256


class Batcher:
    """One model's queue, and a thread for each batch that is computed at the same time.

    A thread that has nothing to do takes what waits as soon as no other computes, or as soon as the first
    text has waited for ``wait_ms`` or a batch is full. It must be closed; texts that wait then are answered
    before its threads end.
    """

    def __init__(self, run: Run, pace: Pace, told: BatchSink, *, name: str = "") -> None:
        self._run, self._pace, self._told = run, pace, told
        self._queue = TextQueue(pace.queue)
        self._changed = threading.Condition()
        self._closed = False
        self._computing = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"assay batches {name}".strip(), daemon=True)
            for _ in range(pace.sessions)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def texts(self) -> int:
        """How many texts wait."""
        return self._queue.texts

    @property
    def alive(self) -> bool:
        """Whether any thread of it has not ended."""
        return any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Let the threads end when all that waits is answered; waits for nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def answer(
        self, rows: Sequence[Row], *, deadline: float | None = None, patient: bool = False
    ) -> list[Logits]:
        """Return the logits of each row, in their order; blocks.

        ``deadline`` is on the monotonic clock. ``patient`` callers are taken however long the queue is: there
        must be few of them. Raises RequestRefused with 503 when the queue is full or the deadline has passed,
        with 500 when the model fails.
        """
        if not rows:
            return []
        ticket = Ticket(rows, deadline)
        with self._changed:
            full = not patient and not self._queue.takes(len(rows))
            if not full:
                self._queue.join(ticket)
                self._told.queued(len(rows))
                self._changed.notify(len(rows))
        if full:
            self._told.queue_full(len(rows))
            raise _overloaded()
        if not ticket.wait():
            self._give_up(ticket)
            self._told.deadline_missed(len(rows))
            raise _late()
        return ticket.answers()

    def _give_up(self, ticket: Ticket) -> None:
        """Take what is left of a request out of the queue."""
        with self._changed:
            self._told.queued(-self._queue.leave(ticket))

    def _work(self) -> None:
        while places := self._next():
            try:
                self._compute(places)
            finally:
                with self._changed:
                    self._computing -= 1
                    self._changed.notify()

    def _next(self) -> list[Place]:
        """Return the next batch when it is time for it; none when there will be no more."""
        with self._changed:
            while (pause := self._pause()) is None or pause > 0.0:
                if self._closed and not self._queue:
                    return []
                self._changed.wait(pause)
            idle = self._pace.sessions - self._computing
            # What waits is shared out over those that are idle: two texts are sooner done side by side.
            places = self._queue.take(self._pace.batch_tokens, -(-self._queue.texts // idle))
            self._computing += 1
            self._told.queued(-len(places))
        now = time.monotonic()
        for place in places:
            self._told.waited(now - place.ticket.since)
        return places

    def _pause(self) -> float | None:
        """Return the seconds that the texts which wait should wait for others; None where none waits."""
        if not self._queue:
            return None
        if self._closed or not self._computing or self._queue.tokens() >= self._pace.batch_tokens:
            return 0.0
        return self._queue.oldest + self._pace.wait_ms / 1_000 - time.monotonic()

    def _compute(self, places: Sequence[Place]) -> None:
        rows = [place.row for place in places]
        begun = time.monotonic()
        try:
            logits = self._run(rows).tolist()
        except Exception as error:  # The edge: whatever a runtime raises, the others must be answered.
            if len(places) > 1:
                # One text must not be another's misfortune: each is tried by itself.
                for place in places:
                    self._compute([place])
                return
            logger.exception("The model failed at a text of %s tokens", len(rows[0]))
            self._fail(places[0].ticket, error)
            return
        self._told.batched(len(rows), len(rows) * max(map(len, rows)), time.monotonic() - begun)
        for place, each in zip(places, logits, strict=True):
            place.ticket.give(place.at, tuple(each))

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        self._told.batch_failed(1)
        self._give_up(ticket)
        ticket.fail(_failed(error))


def _overloaded() -> RequestRefused:
    message = "More texts wait for the model than the queue may hold. Send this request again later."
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return RequestRefused(message, status=503, code="overloaded", headers=headers)


def _late() -> RequestRefused:
    message = (
        "The model did not come to this request before its deadline; nothing more is computed for it. "
        "Send it again later, or with fewer texts."
    )
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return RequestRefused(message, status=503, code="deadline_exceeded", headers=headers)


def _failed(error: Exception) -> RequestRefused:
    message = (
        f"The model failed at a text of this request ({type(error).__name__}); the service's log says why."
    )
    return RequestRefused(message, status=500, code="model_failed")
