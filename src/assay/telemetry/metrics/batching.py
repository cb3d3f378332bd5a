"""Counts of costly models: their queues, their batches and the cache of what they gave."""

from assay.service import CacheTier
from assay.telemetry.metrics.families import Families


class BatchCounts:
    """What queues, batches and the cache tell of themselves."""

    _families: Families

    def queued(self, texts: int) -> None:
        """Say how many texts more wait in the queues of this process; fewer where it is negative."""
        self._families.queue_texts.inc(texts)

    def waited(self, seconds: float) -> None:
        """Count a text that was taken from a queue, and how long it was there."""
        self._families.queue_seconds.observe(seconds)

    def batched(self, texts: int, tokens: int, seconds: float) -> None:
        """Count a batch: its texts, its tokens with padding, and how long it was computed."""
        self._families.batch_texts.observe(texts)
        self._families.batch_tokens.observe(tokens)
        self._families.batch_seconds.observe(seconds)

    def deadline_missed(self, texts: int) -> None:
        """Count texts that were taken out of a queue because their deadline had passed."""
        self._families.deadline_missed.inc(texts)

    def queue_full(self, texts: int) -> None:
        """Count texts that a full queue did not take."""
        self._families.queue_refused.inc(texts)

    def batch_failed(self, texts: int) -> None:
        """Count texts that a model failed at."""
        self._families.batch_failed.inc(texts)

    def looked_up(self, tier: CacheTier, texts: int) -> None:
        """Count texts whose logits were looked for in the cache, by where they were found."""
        self._families.cache_lookups.labels(tier).inc(texts)

    def cached(self, entries: int, size: int) -> None:
        """Say how many entries and bytes the cache of this process holds."""
        self._families.cache_entries.set(entries)
        self._families.cache_bytes.set(size)
