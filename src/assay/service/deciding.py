"""Texts of one request -> decisions, counted."""

from collections.abc import Sequence
from functools import partial

import anyio
import anyio.to_thread

from assay.estimators import Decision
from assay.exceptions import TextError
from assay.service.envelope import MetricsSink
from assay.service.errors import fault, invalid
from assay.service.limits import DECIDING_THREADS, INLINE_CHARACTERS, INLINE_TEXTS, Limits
from assay.service.models import Models


def fits_inline(texts: Sequence[str]) -> bool:
    """Return True for so few and so short texts that deciding them holds up nobody on the event loop."""
    return len(texts) <= INLINE_TEXTS and sum(map(len, texts)) <= INLINE_CHARACTERS


class Deciding:
    """Asks the cascade of a task and counts what it decided."""

    def __init__(self, models: Models, metrics: MetricsSink, limits: Limits) -> None:
        self.models, self.metrics, self.limits = models, metrics, limits
        self._threads = anyio.CapacityLimiter(DECIDING_THREADS)

    async def decide(
        self, task: str | None, texts: Sequence[str], *, single: bool = False, explain: bool = False
    ) -> list[Decision]:
        """Return the decisions of a task (None: the default task) for texts, in their order.

        Raises RequestRefused: 404 for an unknown task, 503 for one without a model, 422 naming the first
        text that cannot be decided.
        """
        cascade = self.models.get(task)
        decide = partial(cascade.decide, texts, explain=explain)
        try:
            if fits_inline(texts) and not explain:
                decisions = decide()
            else:
                decisions = await anyio.to_thread.run_sync(decide, limiter=self._threads)
        except TextError as error:
            index = error.data["index"]
            field = "text" if single else f"texts.{index}"
            raise invalid([fault(field, f"The text {error.data['fault']}.", texts[index])]) from None
        self.metrics.decided(decisions)
        return decisions
