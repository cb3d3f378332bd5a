"""Texts of one request -> decisions, counted."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import anyio
import anyio.to_thread

from assay.estimators import Cascade, Decision
from assay.exceptions import TextError
from assay.service.connections import Queue
from assay.service.decided import Decided, DecisionSink
from assay.service.envelope import MetricsSink
from assay.service.errors import fault, invalid
from assay.service.exchange import DEADLINE, Exchange
from assay.service.limits import DECIDING_THREADS, INLINE_CHARACTERS, INLINE_TEXTS, Limits
from assay.service.microbatching import NotAtHand, asked, at_hand
from assay.service.models import Models
from assay.service.versions import Versions


def fits_inline(texts: Sequence[str]) -> bool:
    """Return True for so few and so short texts that deciding them holds up nobody on the event loop."""
    return len(texts) <= INLINE_TEXTS and sum(map(len, texts)) <= INLINE_CHARACTERS


def seconds_of(deadline: str) -> float:
    """Return how many seconds a client gives its request; any number of them where it says nothing.

    Raises RequestRefused with 422 for what is no positive number.
    """
    if not deadline:
        return math.inf
    try:
        seconds = float(deadline)
    except ValueError:
        seconds = math.nan
    if not seconds > 0.0:
        raise invalid([fault(DEADLINE, "This must be a number of seconds over 0, like 0.5.", deadline)])
    return seconds


class Deciding:
    """Asks the cascade of a task, counts what it decided, and tells the decision log."""

    def __init__(
        self,
        models: Models,
        versions: Versions,
        metrics: MetricsSink,
        limits: Limits,
        sink: DecisionSink | None = None,
    ) -> None:
        self.models, self.versions, self.metrics, self.limits = models, versions, metrics, limits
        self._sink = sink
        self._threads = anyio.CapacityLimiter(DECIDING_THREADS)
        # These only wait: for the queue of a model, which has an end of its own.
        self._waiting = anyio.CapacityLimiter(limits.max_in_flight)
        self._texts = 0

    def queue(self) -> Queue:
        """Return what waits for a thread, and what is decided in one."""
        pools = (self._threads, self._waiting)
        waiting = sum(pool.statistics().tasks_waiting for pool in pools)
        return Queue(waiting=waiting, texts=self._texts)

    async def cascade_of(self, task: str | None, version: str | None = None) -> Cascade:
        """Return the cascade that one request is answered by, whatever happens meanwhile.

        Raises RequestRefused: 404 for an unknown task or version, 503 for one without a model.
        """
        if task is None or version is None:
            return self.models.get(task)
        return await self.versions.get(task, version)

    async def decide(
        self,
        task: str | None,
        texts: Sequence[str],
        *,
        version: str | None = None,
        exchange: Exchange,
        subject: str | None = None,
        keeps_texts: bool = True,
        single: bool = False,
        explain: bool = False,
    ) -> list[Decision]:
        """Return the decisions of a task (None: the default task) for texts, in their order.

        They are those of the version that answers now, or of the one whose number is given; the
        exchange is told which. Raises RequestRefused: 404 for an unknown task or version, 503 for one
        without a model, 422 naming the first text that cannot be decided; where the model is a costly one
        also 503 for a full queue or a deadline that has passed, and 500 when it fails.
        """
        # One cascade from here to the end: a swap in between is for the next request.
        cascade = await self.cascade_of(task, version)
        exchange.task, exchange.version = cascade.task.name, cascade.version
        at_once = fits_inline(texts) and not explain
        try:
            if cascade.model.costly:
                decisions = await self._costly(cascade, texts, exchange, explain=explain, at_once=at_once)
            elif at_once:
                decisions = cascade.decide(texts)
            else:
                decide = partial(cascade.decide, texts, explain=explain)
                decisions = await self._in_thread(decide, len(texts), self._threads)
        except TextError as error:
            index = error.data["index"]
            field = "text" if single else f"texts.{index}"
            raise invalid([fault(field, f"The text {error.data['fault']}.", texts[index])]) from None
        self.tell(cascade, texts, decisions, exchange, subject=subject, keeps_texts=keeps_texts)
        exchange.decided(cascade.task.name, cascade.version, texts)
        return decisions

    async def _costly(
        self, cascade: Cascade, texts: Sequence[str], exchange: Exchange, *, explain: bool, at_once: bool
    ) -> list[Decision]:
        """Ask a model that takes milliseconds a text; what rules and the cache know needs no thread."""
        quick = at_hand(cascade) if at_once else None
        if quick is not None:
            try:
                return quick.decide(texts)
            except NotAtHand:
                pass
        seconds = min(seconds_of(exchange.deadline), self.limits.encoder_deadline_seconds)
        decide = partial(asked(cascade, seconds).decide, texts, explain=explain)
        return await self._in_thread(decide, len(texts), self._waiting)

    async def _in_thread(
        self, decide: Callable[[], list[Decision]], texts: int, threads: anyio.CapacityLimiter
    ) -> list[Decision]:
        self._texts += texts
        try:
            return await anyio.to_thread.run_sync(decide, limiter=threads)
        finally:
            self._texts -= texts

    def tell(
        self,
        cascade: Cascade,
        texts: Sequence[str],
        decisions: Sequence[Decision],
        exchange: Exchange,
        *,
        subject: str | None = None,
        keeps_texts: bool = True,
    ) -> None:
        """Count decisions and tell the decision log; every path that decides comes by here."""
        self.metrics.decided(decisions)
        if self._sink is None or not decisions:
            return
        self._sink.write(
            Decided(
                cascade=cascade,
                texts=texts,
                decisions=decisions,
                exchange=exchange,
                subject=subject,
                keeps_texts=keeps_texts,
            )
        )
