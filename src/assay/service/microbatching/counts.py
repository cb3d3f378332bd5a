"""Where micro-batches and the cache of decisions are counted."""

from typing import Literal, Protocol

CacheTier = Literal["local", "redis", "none"]
"""Where the logits of a text were found."""


class BatchSink(Protocol):
    """What is told of queues, batches and the cache; ``telemetry.Counters`` is one."""

    def queued(self, texts: int) -> None:
        """Say how many texts more wait in the queues of this process; fewer where it is negative."""

    def batched(self, texts: int, tokens: int, seconds: float) -> None:
        """Count a batch: its texts, its tokens with padding, and how long it was computed."""

    def waited(self, seconds: float) -> None:
        """Count a text that was taken from a queue, and how long it was there."""

    def deadline_missed(self, texts: int) -> None:
        """Count texts that were taken out of a queue because their deadline had passed."""

    def queue_full(self, texts: int) -> None:
        """Count texts that a full queue did not take."""

    def batch_failed(self, texts: int) -> None:
        """Count texts that a model failed at."""

    def looked_up(self, tier: CacheTier, texts: int) -> None:
        """Count texts whose logits were looked for in the cache, by where they were found."""

    def cached(self, entries: int, size: int) -> None:
        """Say how many entries and bytes the cache of this process holds."""


class Uncounted:
    """Counts nothing."""

    def queued(self, texts: int) -> None:
        """Do nothing."""

    def batched(self, texts: int, tokens: int, seconds: float) -> None:
        """Do nothing."""

    def waited(self, seconds: float) -> None:
        """Do nothing."""

    def deadline_missed(self, texts: int) -> None:
        """Do nothing."""

    def queue_full(self, texts: int) -> None:
        """Do nothing."""

    def batch_failed(self, texts: int) -> None:
        """Do nothing."""

    def looked_up(self, tier: CacheTier, texts: int) -> None:
        """Do nothing."""

    def cached(self, entries: int, size: int) -> None:
        """Do nothing."""
