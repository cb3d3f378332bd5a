"""Logits that all replicas share, in Redis; while it is gone, each process has what it computed itself."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.exceptions import ConfigError, MissingExtra
from assay.notation import without_credentials

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.05
"""How long a request waits for Redis."""

RETRY_SECONDS = 3.0
"""Pause between two attempts to reach a Redis that is gone."""

KEEP_SECONDS = 24 * 3600
"""How long Redis keeps what nobody asks for."""

PREFIX = b"assay:logits:"


class RedisCache:
    """Logits in Redis, one round trip a request; called from threads.

    Parameters
    ----------
    url
        ``redis://...``; nothing is opened at first.
    on_fault
        Told each new ``fault``, "" when it ends.

    Raises ConfigError for another URL, MissingExtra without the package.
    """

    def __init__(self, url: str, *, on_fault: Callable[[str], None] = lambda _: None) -> None:
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise MissingExtra("Sharing decisions in Redis", package="redis", extra="redis") from error
        try:
            self._redis: Any = Redis.from_url(
                url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            # What it says of a URI may quote its password; with this as a cause a traceback would show it.
            raise ConfigError(
                f"ASSAY_ENCODER_CACHE_REDIS is {without_credentials(url)!r}, which is no address of a Redis. "
                "Write redis://host:6379/0, or rediss:// for TLS."
            ) from None
        self.shown, self.fault = without_credentials(url), ""
        self._on_fault, self._lock = on_fault, threading.Lock()

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, None where there is none or Redis is gone."""
        if not self.fault:
            try:
                found = self._redis.mget([PREFIX + key for key in keys])
                return [value if isinstance(value, bytes) else None for value in found]
            except Exception as error:  # noqa: BLE001 - whatever Redis does, requests go on
                self._tell(error)
        return [None] * len(keys)

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values for a day."""
        if self.fault:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for key, value in values.items():
                    pipe.set(PREFIX + key, value, ex=KEEP_SECONDS)
                pipe.execute()
        except Exception as error:  # noqa: BLE001 - whatever Redis does, requests go on
            self._tell(error)

    async def watch(self) -> None:
        """Look every few seconds whether a Redis that is gone is back; runs until it is cancelled."""
        try:
            await asyncio.to_thread(self.look)
            while True:
                await asyncio.sleep(RETRY_SECONDS)
                if self.fault:
                    await asyncio.to_thread(self.look)
        finally:
            self._redis.close()

    def look(self) -> None:
        """Ask Redis whether it answers, and take note of it."""
        begun = time.monotonic()
        try:
            self._redis.ping()
        except Exception as error:  # noqa: BLE001 - it is gone, for whatever reason
            self._tell(error)
            return
        logger.debug("Redis %s answered in %.0f ms", self.shown, 1_000 * (time.monotonic() - begun))
        with self._lock:
            known, self.fault = self.fault, ""
        if known:
            logger.warning("Redis %s is back: replicas share what they computed again", self.shown)
            self._on_fault("")

    def _tell(self, error: Exception) -> None:
        with self._lock:
            known = self.fault
            self.fault = (
                f"Redis {self.shown} cannot be used ({type(error).__name__}): each process has only what it "
                "computed itself until it is back."
            )
        if not known:
            logger.warning("%s", self.fault)
            self._on_fault(self.fault)
