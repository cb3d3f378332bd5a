"""Logits that were computed before, by what was computed from: in this process, and beside it in Redis."""

import math
import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol

from assay.service.limits import CACHE_BYTES
from assay.service.microbatching.counts import BatchSink
from assay.service.microbatching.ticket import Logits

KEY_BYTES = 32
ENTRY_BYTES = 300
"""What an entry takes beside its key and its value: the objects around them and their place in the table."""


def key_of(digest: str, text: str) -> bytes:
    """Return the key of a text's logits: a hash of the text, and of what decides (an artifact's digest).

    Rules are asked before the cache is, and all else that an answer depends on is in the artifact. No text
    can be read from a key.

    >>> key_of("a" * 64, "hello") == key_of("a" * 64, "hello"), key_of("b" * 64, "hello")[:2].hex()
    (True, '972f')
    """
    hashed = blake2b(digest.encode(), digest_size=KEY_BYTES)
    return blake2b(text.encode(), digest_size=KEY_BYTES, key=hashed.digest()).digest()


class RemoteCache(Protocol):
    """A cache that replicas share; it may lose what it likes, and never raises."""

    @property
    def fault(self) -> str:
        """Why it cannot be used; empty while it can."""

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, None where there is none."""

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values."""

    async def watch(self) -> None:
        """Keep it in view until cancelled."""


class LocalCache:
    """The values used last, in the memory of this process; threads may share one.

    Parameters
    ----------
    entries, size
        How many there are at most, and how many bytes they may take; the one that was used longest ago goes.
    """

    def __init__(self, entries: int, size: int = CACHE_BYTES) -> None:
        self._most, self._largest = entries, size
        self._values: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return self._size

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key; None where there is none."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value."""
        with self._lock:
            before = self._values.pop(key, None)
            if before is not None:
                self._size -= _bytes_of(key, before)
            self._values[key] = value
            self._size += _bytes_of(key, value)
            while self._values and (len(self._values) > self._most or self._size > self._largest):
                self._size -= _bytes_of(*self._values.popitem(last=False))


class DecisionCache:
    """Logits by key: looked for in this process, then where replicas share them.

    What Redis holds is believed if it has the form of logits: who may write there may decide.
    """

    def __init__(self, local: LocalCache, remote: RemoteCache | None, told: BatchSink) -> None:
        self.local, self.remote, self._told = local, remote, told

    def at_hand(self, key: bytes) -> Logits | None:
        """Return logits that are in this process; never waits. Only what is found is counted."""
        value = self.local.get(key)
        if value is None:
            return None
        self._told.looked_up("local", 1)
        return _unpacked(value)

    @property
    def fault(self) -> str:
        """Why replicas do not share it; empty while they do, or are not meant to."""
        return self.remote.fault if self.remote is not None else ""

    def state(self) -> dict[str, Any]:
        """Return what ``/health`` shows of it."""
        return {"entries": len(self.local), "bytes": self.local.size, "reason": self.fault or None}

    def find(self, keys: Sequence[bytes], logits: int) -> list[Logits | None]:
        """Return the logits of each key, ``logits`` numbers each, None where they are not known; may wait."""
        values = [self.local.get(key) for key in keys]
        missing = [at for at, value in enumerate(values) if value is None]
        if len(keys) > len(missing):
            self._told.looked_up("local", len(keys) - len(missing))
        if missing and self.remote is not None:
            missing = self._find_remote(keys, values, missing, logits)
        if missing:
            self._told.looked_up("none", len(missing))
        return [None if value is None else _unpacked(value) for value in values]

    def keep(self, found: Mapping[bytes, Logits]) -> None:
        """Keep logits that were computed."""
        packed = {key: array("d", logits).tobytes() for key, logits in found.items()}
        for key, value in packed.items():
            self.local.put(key, value)
        self._told.cached(len(self.local), self.local.size)
        if self.remote is not None:
            self.remote.put(packed)

    def _find_remote(
        self, keys: Sequence[bytes], values: list[bytes | None], missing: list[int], logits: int
    ) -> list[int]:
        """Fill in what is known elsewhere; return what is still missing."""
        assert self.remote is not None
        for at, value in zip(missing, self.remote.get([keys[at] for at in missing]), strict=True):
            if value is not None and _is_valid(value, logits):
                values[at] = value
                self.local.put(keys[at], value)
        left = [at for at in missing if values[at] is None]
        if len(missing) > len(left):
            self._told.looked_up("redis", len(missing) - len(left))
        return left


def _bytes_of(key: bytes, value: bytes) -> int:
    return ENTRY_BYTES + len(key) + len(value)


def _unpacked(value: bytes) -> Logits:
    return tuple(array("d", value))


def _is_valid(value: bytes, logits: int) -> bool:
    return len(value) == 8 * logits and all(map(math.isfinite, _unpacked(value)))
