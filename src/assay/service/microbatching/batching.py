"""Costly models put behind their queues, and how a cascade of one is asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assay.estimators import Cascade
from assay.service.microbatching.batcher import Pace
from assay.service.microbatching.cache import DecisionCache, LocalCache
from assay.service.microbatching.counts import BatchSink, Uncounted
from assay.service.microbatching.model import AskedModel, AtHandModel, MicroBatchedModel
from assay.service.microbatching.replicated import RedisCache


@dataclass(frozen=True, kw_only=True)
class Batching:
    """What the costly models of a process share; one model's queue is its own."""

    pace: Pace = field(default_factory=Pace)
    told: BatchSink = field(default_factory=Uncounted)
    cache: DecisionCache | None = None

    def over(self, cascade: Cascade) -> Cascade:
        """Return a cascade whose model, where it is a costly one, is asked through a queue of its own."""
        model = cascade.model
        if not model.costly:
            return cascade
        # Looked for here: a service of linear models need not have it.
        from assay.estimators import EncoderModel

        assert isinstance(model, EncoderModel), model
        runs = model.sessions
        pace = replace(self.pace, sessions=runs.runtime.sessions, batch_tokens=runs.budget)
        if model.spec.precision == "int8":
            # Rows run one by one; together they would only wait for each other.
            pace = replace(pace, batch_tokens=1)
        return replace(cascade, model=MicroBatchedModel(model, cascade.digest, pace, self.told, self.cache))


def open_cache(
    entries: int, redis: str, told: BatchSink, *, on_fault: Callable[[str], None] = lambda _: None
) -> DecisionCache | None:
    """Return the cache that settings describe; None where there is to be none.

    Raises ConfigError for an address that is none of a Redis, MissingExtra without its package.
    """
    if not entries and not redis:
        return None
    remote = RedisCache(redis, on_fault=on_fault) if redis else None
    return DecisionCache(LocalCache(entries), remote, told)


def at_hand(cascade: Cascade) -> Cascade | None:
    """Return a cascade that decides at once or raises NotAtHand; None where there is none for its model."""
    model = cascade.model
    return replace(cascade, model=AtHandModel(model)) if isinstance(model, MicroBatchedModel) else None


def asked(cascade: Cascade, seconds: float) -> Cascade:
    """Return a cascade for one request, which has so many seconds from now."""
    model = cascade.model
    if not isinstance(model, MicroBatchedModel):
        return cascade
    return replace(cascade, model=AskedModel(model, deadline=time.monotonic() + seconds))


def patient(cascade: Cascade) -> Cascade:
    """Return a cascade for who has all the time, and asks for few texts at once."""
    model = cascade.model
    if not isinstance(model, MicroBatchedModel):
        return cascade
    return replace(cascade, model=AskedModel(model, deadline=None, patient=True))
