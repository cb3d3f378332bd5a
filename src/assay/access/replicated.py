"""Requests counted by all replicas together, in Redis; by this machine alone while Redis is gone."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from assay.access.counting import Counting
from assay.access.gcra import Verdict, verdict_of
from assay.access.rates import Rate
from assay.exceptions import ConfigError, MissingExtra
from assay.notation import without_credentials

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.05
"""How long one request waits for Redis."""

RETRY_SECONDS = 3.0
"""Pause between two attempts to reach a Redis that is gone."""

CONNECT_SECONDS = 1.0
"""How long a new connection may take when nobody waits for it."""

SILENCE_SECONDS = 0.15
"""How long Redis may answer nobody before it counts as gone; one late answer may be our own doing."""

CONNECTIONS = 8
"""Of one worker: opening dozens in the same moment would take longer than a request waits."""

PREFIX = "assay:rate:"

# ``gcra.take`` in Lua, by Redis's own clock, so that replicas need not agree on the time. Microseconds are
# whole numbers that a double holds exactly, written out in full: Lua's own form keeps fourteen digits.
SCRIPT = """
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now, full = time[1] * 1000000 + time[2], burst * interval
local arrival = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + full)
local wait = arrival + interval - now - full
if wait <= 0 then
  arrival = arrival + interval
  redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
end
return {arrival - now, wait}
"""


class RedisCounting:
    """Counts in Redis, one round trip a request."""

    def __init__(
        self, url: str, fallback: Counting, *, on_fault: Callable[[str], None] = lambda _: None
    ) -> None:
        """Parse ``redis://...``; nothing is opened. ``on_fault`` is told each new ``fault``, "" when it ends.

        Raises ConfigError for another URL, MissingExtra without the package.
        """
        try:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise MissingExtra("Counting requests in Redis", package="redis", extra="redis") from error
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=CONNECT_SECONDS,
                socket_timeout=CONNECT_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            # What it says of a URI may quote its password; with this as a cause a traceback would show it.
            raise ConfigError(
                f"ASSAY_REDIS is {without_credentials(url)!r}, which is no address of a Redis. Write "
                "redis://host:6379/0, or rediss:// for TLS."
            ) from None
        self.shown, self.fault = without_credentials(url), ""
        self._fallback, self._on_fault, self._answered_at = fallback, on_fault, 0.0
        self._redis: Any = Redis.from_pool(pool)
        self._script = self._redis.register_script(SCRIPT)

    async def take(self, subject: str, rate: Rate) -> Verdict:
        """Count one request: in Redis, or on this machine while Redis is gone."""
        if not self.fault:
            key, arguments = f"{PREFIX}{subject}", [rate.interval, rate.burst]
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    ahead, wait = await self._script(keys=[key], args=arguments)
                self._answered_at = time.monotonic()
                return verdict_of(rate, ahead, wait)
            except TimeoutError as error:
                if time.monotonic() - self._answered_at > SILENCE_SECONDS:
                    self._tell(error)
            except Exception as error:  # noqa: BLE001 - whatever Redis does, requests go on
                self._tell(error)
        return await self._fallback.take(subject, rate)

    async def watch(self) -> None:
        """Look every few seconds whether a Redis that is gone is back; runs until it is cancelled."""
        try:
            await self._try()
            while True:
                await asyncio.sleep(RETRY_SECONDS)
                if self.fault:
                    await self._try()
        finally:
            await self._redis.aclose()

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                # All connections are opened now, and not while a request waits.
                await asyncio.gather(*(self._redis.ping() for _ in range(CONNECTIONS)))
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._redis.ping()
        except Exception as error:  # noqa: BLE001 - it is gone, for whatever reason
            self._tell(error)
            return
        self._answered_at = time.monotonic()
        if self.fault:
            logger.warning("Redis %s is back: rates hold over all replicas again", self.shown)
            self.fault = ""
            self._on_fault("")

    def _tell(self, error: Exception) -> None:
        known = self.fault
        self.fault = (
            f"Redis {self.shown} cannot be used ({type(error).__name__}): each machine counts requests for "
            "itself until it is back."
        )
        if not known:
            logger.warning("%s", self.fault)
            self._on_fault(self.fault)
