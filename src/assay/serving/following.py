"""What is served follows the alias ``production``: registry -> service, while requests are answered."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio

from assay.exceptions import AssayError
from assay.registry import Version, find_production
from assay.service import Detached, MetricsSink, Models
from assay.serving.bell import Bell
from assay.serving.remembering import Remembered
from assay.serving.swapping import Opener, Swapping
from assay.settings import Settings

logger = logging.getLogger(__name__)

BELL_SECONDS = 0.1
"""Pause between two looks at whether any worker was told to refresh."""

SLOW_SECONDS = 10.0
"""A registry that has not answered for so long is said not to."""

REFRESH_SECONDS = 20.0
"""How long a refresh waits for what it began; that goes on after it."""

START_SECONDS = 5.0
LOAD_SECONDS = 30.0
"""How long a start waits for the registry, and for the versions; what comes later is swapped in."""

ASKED_AT_ONCE = 4
LOADED_AT_ONCE = 4
"""Threads that a registry or a store may hold by not answering."""

NOTHING = "The registry has no production version."


class Superseded(Exception):
    """A question to the registry was answered after a later one."""


class Following:
    """Keeps every task on its production version; one for each worker.

    All that may block runs in threads. A registry that is down, slow or talks nonsense, a version that is
    damaged and a disk that is full change nothing for what answers; ``/health`` tells of it.

    Parameters
    ----------
    models
        What is served.
    settings
        Where the registry is and how often it is asked.
    metrics
        Where swaps are counted.
    open_version
        Fetches, verifies and warms up a version.
    bell
        How workers tell each other to look at once.
    """

    def __init__(
        self, models: Models, settings: Settings, metrics: MetricsSink, *, open_version: Opener, bell: Bell
    ) -> None:
        self._models, self._settings, self._metrics, self._bell = models, settings, metrics, bell
        self._swapping = Swapping(models, open_version, metrics, pause=settings.poll_seconds)
        self._remembered = Remembered(settings)
        self._rung = bell.heard()
        self._lock = threading.Lock()
        self._asking: dict[int, float] = {}
        self._asked = self._answered = 0
        self._loading: set[tuple[str, str]] = set()
        self._asked_at: str | None = None
        self._heard = time.monotonic()
        self._reason: str | None = None

    def begin(self) -> None:
        """Serve what is in production, before there are requests; blocks.

        Where the registry is gone, or what it names is refused, what last answered on this machine does.
        """
        last = {version.task: version for version in self._remembered.read()}
        asking = Detached(self._ask)
        found = asking.result() if asking.wait(START_SECONDS) else None
        to_load = self._settle(list(last.values()) if found is None else found)
        loading = [Detached(partial(self._load_now, version)) for version in to_load]
        end = time.monotonic() + LOAD_SECONDS
        for version, work in zip(to_load, loading, strict=True):
            work.wait(end - time.monotonic())
            if version.task in last:
                self._swapping.stand_in(last[version.task])
        self._remember()

    async def run(self) -> None:
        """Look every ``poll_seconds``, and at once when the bell was rung, until cancelled."""
        async with anyio.create_task_group() as group:
            while True:
                self._tell()
                told = await self._pause()
                # Not waited for: what hangs holds up neither the next look nor the other tasks.
                if told or not self._asking:
                    group.start_soon(self._look, told)

    async def refresh(self) -> str | None:
        """Look now, in every worker; return when this one has what it should have, or was refused it.

        What is returned is None, or why not all could be done.
        """
        self._bell.ring()
        self._rung = self._bell.heard()
        with anyio.move_on_after(REFRESH_SECONDS) as scope:
            await self._look(told=True)
        reason: str | None = self.state()["reason"]
        if scope.cancelled_caught and not reason:
            reason = f"It takes over {REFRESH_SECONDS:.0f} s and goes on; GET /health tells how it ends."
        return reason

    def state(self) -> dict[str, Any]:
        """Return when the registry last answered, and why it does not now."""
        reason, now = self._reason, time.monotonic()
        waited = now - min(tuple(self._asking.values()), default=now)
        if waited > SLOW_SECONDS:
            reason = f"The registry has not answered for {waited:.0f} s."
        return {"asked_at": self._asked_at, "reason": reason}

    def _tell(self) -> None:
        wanted = sum(bool(missing.version) for missing in self._models.missing.values())
        age = time.monotonic() - self._heard
        self._metrics.registry(self.state()["reason"] is None, age, wanted)

    async def _pause(self) -> bool:
        """Wait until it is time to look, and return whether somebody wants it now."""
        end = time.monotonic() + self._settings.poll_seconds
        while (left := end - time.monotonic()) > 0:
            await anyio.sleep(min(BELL_SECONDS, left))
            heard = self._bell.heard()
            if heard != self._rung:
                self._rung = heard
                return True
        return False

    async def _look(self, told: bool) -> None:
        if len(self._asking) >= ASKED_AT_ONCE:
            return
        while True:
            try:
                to_load = await Detached(partial(self._ask, self._settle)).finished()
                break
            except Superseded:
                # Who asked later loads what is new; whoever was told has to see that done.
                if not told:
                    return
        async with anyio.create_task_group() as group:
            for version in to_load or ():
                if told or self._swapping.may_load(version):
                    group.start_soon(self._load, version)

    async def _load(self, version: Version) -> None:
        key = _key(version)
        if key not in self._loading and len(self._loading) < LOADED_AT_ONCE:
            await Detached(partial(self._load_now, version)).finished()
        while key in self._loading:
            await anyio.sleep(BELL_SECONDS / 10)

    def _load_now(self, version: Version) -> None:
        self._loading.add(_key(version))
        try:
            self._swapping.load(version)
            self._remember()
        finally:
            self._loading.discard(_key(version))

    def _ask(self, then: Callable[[Sequence[Version]], list[Version]] = list) -> list[Version] | None:
        """Return what is made of what is in production; None when the registry does not say.

        Answers are taken in the order of the questions: raises Superseded when a later one was answered.
        """
        with self._lock:
            self._asked += 1
            number = self._asked
            self._asking[number] = time.monotonic()
        found, failure = None, None
        try:
            found = find_production(self._settings.store)
        except Exception as error:  # noqa: BLE001 - the edge: whatever a registry does, what is served goes on
            failure = error
        with self._lock:
            del self._asking[number]
            if number < self._answered:
                raise Superseded
            self._answered = number
            self._hear(found, failure)
            return None if found is None else then(found)

    def _hear(self, found: Sequence[Version] | None, failure: Exception | None) -> None:
        reason = None if failure is None else _in_words(failure)
        self._metrics.degraded("registry", failure is not None)
        if failure is None:
            self._heard = time.monotonic()
            self._asked_at = datetime.now(UTC).isoformat(timespec="seconds")
        absence = reason or ("" if found else NOTHING)
        if not self._models.served and absence != self._models.absence:
            logger.warning("No models were found: %s", absence or "not yet")
        elif reason != self._reason:
            logger.warning("What is served goes on. %s", reason or "The registry answers again.")
        if isinstance(failure, Exception) and not isinstance(failure, AssayError) and reason != self._reason:
            logger.error("The registry could not be understood", exc_info=failure)
        self._models.absence, self._reason = absence, reason

    def _settle(self, found: Sequence[Version]) -> list[Version]:
        """Note what should answer, let what is ready do so, and return what has to be loaded for that."""
        wanted: dict[str, Version] = {}
        for version in found:
            wanted.setdefault(version.task, version)
        for task in set(self._models.seats) - set(wanted):
            self._swapping.release(task)
        to_load = [version for version in wanted.values() if self._swapping.want(version)]
        self._remember()
        return to_load

    def _remember(self) -> None:
        self._remembered.write(self._swapping.running.values())


def _key(version: Version) -> tuple[str, str]:
    return version.model, version.number


def _in_words(failure: Exception) -> str:
    if isinstance(failure, AssayError):
        return failure.message
    return f"The registry's answer was not understood ({type(failure).__name__}: {failure})."
