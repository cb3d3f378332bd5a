"""One task's move from the version that answers to the one that should: blocking, called from threads."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from assay.registry import Version
from assay.service import MetricsSink, Missing, Models, Seat, Served
from assay.serving.opening import reason_of, refuse, serve

LONGEST_PAUSE = 300.0
"""Seconds between two attempts at a version that keeps being refused."""

Opener = Callable[[Version], Served]
"""Fetches, verifies and warms up a version."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A version that was refused, how often, and until when it is left alone."""

    version: Version
    times: int
    until: float


class Swapping:
    """Brings tasks to the versions that they should have.

    What is wanted may change while a version is loaded: what has been overtaken is dropped, so that nothing
    that was rolled back comes to answer late.

    Parameters
    ----------
    models
        What is served.
    open_version
        Loads a version; may take as long as it likes.
    metrics
        Where swaps and refusals are counted.
    pause
        Seconds until a refused version is tried again; each further time twice as long.
    """

    def __init__(
        self,
        models: Models,
        open_version: Opener,
        metrics: MetricsSink,
        *,
        pause: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models, self._open, self._metrics = models, open_version, metrics
        self._pause, self._clock = pause, clock
        self._wanted: dict[str, Version] = {}
        self._refusals: dict[str, Refusal] = {}
        self._lock = threading.Lock()
        self.running: dict[str, Version] = {}
        """The version that answers, by task."""

    def want(self, version: Version) -> bool:
        """Take note of what should answer for a task, and return whether it has yet to be loaded.

        A version that is ready, as the previous one is, answers when this returns.
        """
        with self._lock:
            self._wanted[version.task] = version
            seat = self._models.seat(version.task)
            if seat.served and is_of(seat.served, version):
                self._settle(seat, seat.served, version)
                return False
            if not seat.previous or not is_of(seat.previous, version):
                return True
            return not self._swap(seat, replace(seat.previous, stage=version.stage), version)

    def release(self, task: str) -> None:
        """Take note that no version of a task is in production: what answers goes on, and says so."""
        with self._lock:
            self._wanted.pop(task, None)
            self._refusals.pop(task, None)
            seat = self._models.seat(task)
            if seat.served is None:
                self._models.put(task, Seat())
                return
            model, running = seat.served.cascade.task.model, seat.served.version
            reason = (
                f"No version of {model!r} has the alias 'production' any more; version {running} goes on "
                "answering until the service restarts. Promote the one that should answer."
            )
            refuse(self._models, task, Missing(reason=reason, model=model))

    def may_load(self, version: Version) -> bool:
        """Return whether it is time to load a version: False while one that was refused is left alone."""
        refusal = self._refusals.get(version.task)
        return refusal is None or not _same(refusal.version, version) or self._clock() >= refusal.until

    def load(self, version: Version) -> bool:
        """Load a version and let it answer; return whether it does. A refused one is named in the models."""
        try:
            served = self._open(version)
        except Exception as error:  # noqa: BLE001 - the edge: one bad artifact must not stop the others
            with self._lock:
                if self._is_wanted(version):
                    self._refuse(version, reason_of(error))
                    self._metrics.swapped(version.task, "refused")
            return False
        with self._lock:
            return self._is_wanted(version) and self._swap(self._models.seat(version.task), served, version)

    def stand_in(self, version: Version) -> None:
        """Let a version answer for a task that has none while the one that should is refused or loading."""
        if self._models.seat(version.task).served:
            return
        try:
            served = self._open(version)
        except Exception:  # noqa: BLE001 - it was a second try; what is wrong with the first is told
            return
        with self._lock:
            seat = self._models.seat(version.task)
            if seat.served is None:
                self._models.put(version.task, replace(seat, served=served))
                self._runs(version)

    def _swap(self, seat: Seat, served: Served, version: Version) -> bool:
        serve(self._models, served)
        try:
            if served.golden is not None:
                served.golden.check(self._models.get(version.task))
        except Exception as error:  # noqa: BLE001 - whatever it is, the version before it has to come back
            kept = None if seat.previous and is_of(seat.previous, version) else seat.previous
            self._models.put(version.task, replace(seat, previous=kept))
            self._refuse(version, reason_of(error))
            self._metrics.swapped(version.task, "went back")
            return False
        self._refusals.pop(version.task, None)
        self._runs(version)
        self._metrics.swapped(version.task, "swapped")
        return True

    def _settle(self, seat: Seat, served: Served, version: Version) -> None:
        """Make a seat say that what is on it is what should be."""
        self._refusals.pop(version.task, None)
        if seat.missing or served.stage != version.stage:
            staged = replace(served, stage=version.stage)
            self._models.put(version.task, Seat(served=staged, previous=seat.previous))

    def _refuse(self, version: Version, reason: str) -> None:
        last = self._refusals.get(version.task)
        times = last.times + 1 if last and _same(last.version, version) else 1
        until = self._clock() + min(self._pause * 2**times, LONGEST_PAUSE)
        self._refusals[version.task] = Refusal(version=version, times=min(times, 30), until=until)
        missing = Missing(reason=reason, model=version.model, version=version.number, stage=version.stage)
        refuse(self._models, version.task, missing)

    def _runs(self, version: Version) -> None:
        self.running = {**self.running, version.task: version}
        self._metrics.serving(version.task, version.number)

    def _is_wanted(self, version: Version) -> bool:
        wanted = self._wanted.get(version.task)
        return wanted is not None and _same(wanted, version)


def is_of(served: Served, version: Version) -> bool:
    """Return whether a cascade is that of a version."""
    return (served.version, served.cascade.digest) == (version.number, version.digest)


def _same(a: Version, b: Version) -> bool:
    return (a.model, a.number, a.digest, a.manifest) == (b.model, b.number, b.digest, b.manifest)
