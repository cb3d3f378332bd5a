"""What queues and caches tell, added up."""

import threading
from collections import Counter

from assay.service import CacheTier


class Told:
    """Remembers what it is told; threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.waiting = self.texts = self.waited_for = self.late = self.refused = self.failed = 0
        self.looked: Counter[str] = Counter()
        self.held = (0, 0)

    def queued(self, texts: int) -> None:
        """Add up what waits."""
        with self._lock:
            self.waiting += texts

    def waited(self, seconds: float) -> None:
        """Add up what was taken."""
        assert seconds >= 0.0
        with self._lock:
            self.waited_for += 1

    def batched(self, texts: int, tokens: int, seconds: float) -> None:
        """Add up what was computed."""
        assert tokens >= texts
        assert seconds >= 0.0
        with self._lock:
            self.texts += texts

    def deadline_missed(self, texts: int) -> None:
        """Add up what was too late."""
        self.late += texts

    def queue_full(self, texts: int) -> None:
        """Add up what was refused."""
        self.refused += texts

    def batch_failed(self, texts: int) -> None:
        """Add up what failed."""
        self.failed += texts

    def looked_up(self, tier: CacheTier, texts: int) -> None:
        """Add up what was looked for."""
        with self._lock:
            self.looked[tier] += texts

    def cached(self, entries: int, size: int) -> None:
        """Remember what the cache holds."""
        self.held = entries, size
