"""Texts of one request -> decisions, counted."""

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
from assay.service.exchange import Exchange
from assay.service.limits import DECIDING_THREADS, INLINE_CHARACTERS, INLINE_TEXTS, Limits
from assay.service.models import Models
from assay.service.versions import Versions


def fits_inline(texts: Sequence[str]) -> bool:
    """Return True for so few and so short texts that deciding them holds up nobody on the event loop."""
    return len(texts) <= INLINE_TEXTS and sum(map(len, texts)) <= INLINE_CHARACTERS


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
        self._texts = 0

    def queue(self) -> Queue:
        """Return what waits for a thread, and what is decided in one."""
        return Queue(waiting=self._threads.statistics().tasks_waiting, texts=self._texts)

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
        without a model, 422 naming the first text that cannot be decided.
        """
        # One cascade from here to the end: a swap in between is for the next request.
        cascade = await self.cascade_of(task, version)
        exchange.task, exchange.version = cascade.task.name, cascade.version
        decide = partial(cascade.decide, texts, explain=explain)
        try:
            if fits_inline(texts) and not explain:
                decisions = decide()
            else:
                decisions = await self._in_thread(decide, len(texts))
        except TextError as error:
            index = error.data["index"]
            field = "text" if single else f"texts.{index}"
            raise invalid([fault(field, f"The text {error.data['fault']}.", texts[index])]) from None
        self.tell(cascade, texts, decisions, exchange, subject=subject, keeps_texts=keeps_texts)
        exchange.decided(cascade.task.name, cascade.version, texts)
        return decisions

    async def _in_thread(self, decide: Callable[[], list[Decision]], texts: int) -> list[Decision]:
        self._texts += texts
        try:
            return await anyio.to_thread.run_sync(decide, limiter=self._threads)
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
