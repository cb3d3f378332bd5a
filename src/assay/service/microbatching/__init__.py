"""Micro-batches: texts of many requests that a costly model answers together, from a queue with an end."""

from assay.service.microbatching.batcher import Batcher, Pace
from assay.service.microbatching.batching import Batching, asked, at_hand, open_cache, patient
from assay.service.microbatching.cache import DecisionCache, LocalCache
from assay.service.microbatching.counts import BatchSink, CacheTier, Uncounted
from assay.service.microbatching.model import MicroBatchedModel, NotAtHand
from assay.service.microbatching.replicated import RedisCache

__all__ = [
    "BatchSink",
    "Batcher",
    "Batching",
    "CacheTier",
    "DecisionCache",
    "LocalCache",
    "MicroBatchedModel",
    "NotAtHand",
    "Pace",
    "RedisCache",
    "Uncounted",
    "asked",
    "at_hand",
    "open_cache",
    "patient",
]
