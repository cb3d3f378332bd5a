"""Who may ask the service, and how much: the parts together, as the settings describe them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from assay.access.callers import Authenticator
from assay.access.counting import Counting, LocalCounting, MachineCounting
from assay.access.keys import Keys
from assay.access.policy import INSECURE, Policy, decide_policy
from assay.access.rates import Rate, parse_rate
from assay.access.replicated import RedisCounting
from assay.access.shared import SharedCounting, shared_file
from assay.database import Database
from assay.exceptions import ConfigError
from assay.notation import Network, networks
from assay.settings import Settings

logger = logging.getLogger(__name__)

FAILED_KEYS = Rate(10, 60)
"""Wrong keys that one address may send; then none of its keys is looked at for a while."""

OnFault = Callable[[str, str], None]
"""Told the part (``keys`` or ``rates``) and its new fault, "" when it is well again."""


@dataclass(kw_only=True)
class Access:
    """What the guard asks: who a caller is, and whether the caller may go on."""

    policy: Policy
    authenticator: Authenticator | None = None
    counting: Counting = field(default_factory=LocalCounting)
    failures: MachineCounting = field(default_factory=LocalCounting)
    failed_keys: Rate = FAILED_KEYS
    per_key: Rate | None = None
    per_address: Rate | None = None
    proxies: tuple[Network, ...] = ()
    unshared: str = ""
    """Why the workers of this machine count each for itself; empty while they count together."""

    @property
    def faults(self) -> dict[str, str]:
        """What is not as it should be, by its part; for health."""
        keys = self.authenticator.fault if self.authenticator else ""
        found = {"keys": keys, "rates": self.counting.fault or self.unshared}
        return {part: fault for part, fault in found.items() if fault}

    @property
    def ready(self) -> bool:
        """Whether callers can be told, where they need to be."""
        return not self.policy.everybody or (self.authenticator is not None and self.authenticator.ready)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep keys and Redis in view for as long as the service runs."""
        keys, counting = self.authenticator, self.counting
        if isinstance(keys, Keys):
            await asyncio.to_thread(keys.start)
        watch = asyncio.create_task(counting.watch()) if isinstance(counting, RedisCounting) else None
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.wait([watch])
            if isinstance(keys, Keys):
                await asyncio.to_thread(keys.stop)


def open_access(settings: Settings, *, on_fault: OnFault = lambda *_: None) -> Access:
    """Return the access that the settings describe; keys are read when it runs.

    Raises ConfigError for settings that cannot be used.
    """
    policy = decide_policy(settings.host, require_keys=settings.require_keys, insecure=settings.insecure)
    if not policy.everybody and not policy.loopback:
        logger.warning(INSECURE, settings.host)
    keys = None
    if policy.everybody or policy.admins:
        keys = Keys(Database(settings.people), on_fault=lambda fault: on_fault("keys", fault))
    access = Access(
        policy=policy,
        authenticator=keys,
        per_key=parse_rate(settings.rate_per_key),
        per_address=parse_rate(settings.rate_per_address),
        proxies=networks(settings.trusted_proxies),
    )
    if keys or access.per_address:
        access.unshared = _share(access, settings, on_fault)
    if settings.redis:
        access.counting = RedisCounting(
            settings.redis, access.counting, on_fault=lambda fault: on_fault("rates", fault)
        )
    return access


def _share(access: Access, settings: Settings, on_fault: OnFault) -> str:
    try:
        access.counting = access.failures = SharedCounting(shared_file(settings.home))
    except ConfigError as error:
        # A limit that holds for each worker by itself is better than none, and than no service.
        logger.warning("%s Each worker counts for itself meanwhile.", error.message)
        on_fault("rates", error.message)
        return error.message
    return ""
