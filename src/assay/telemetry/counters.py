"""Counts for Prometheus and for ``/health``, of one process or of all workers together."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from assay.estimators import Decision
from assay.service import Exchange, SwapOutcome
from assay.telemetry.metrics.batching import BatchCounts
from assay.telemetry.metrics.families import Families
from assay.telemetry.metrics.gone import GONE, Present
from assay.telemetry.metrics.process import Usage, usage
from assay.telemetry.metrics.requests import RequestTallies
from assay.telemetry.metrics.statistics import statistics_of
from assay.telemetry.metrics.tallies import DecisionTallies
from assay.telemetry.metrics.watching import WatchCounts

PROCESS_SECONDS = 1.0
"""Pause between two looks at what the process uses; one takes 50 microseconds and more."""


class Counters(WatchCounts, BatchCounts):
    """What the service counts.

    Requests and decisions are added up in memory, which takes a microsecond each, and counted where other
    workers read them by ``flush``: ``load`` does it, which the service calls every quarter of a second, and
    whatever reads them in this process. A process that is killed loses what it added up since.

    Parameters
    ----------
    folder
        Where the workers of a service keep their counts, so that each can tell those of all; one object
        of a process may have such a folder. Left out, the counts are of this object alone.
    used
        Says what the process uses.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, folder: Path | None = None, *, used: Callable[[], Usage] = usage) -> None:
        self._folder, self._used = folder, used
        own = CollectorRegistry()
        if folder:
            # What the library does itself when the variable is set before it is imported.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        super().__init__(Families(None if folder else own))
        self._requests, self._decisions = RequestTallies(self._families), DecisionTallies(self._families)
        self._flushing = threading.Lock()
        merged = MultiProcessCollector(None, str(folder)) if folder else own  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(Present(merged.collect))
        self._computed, self._looked = 0.0, -PROCESS_SECONDS
        self._looking = threading.Lock()
        _forget_when_forked(self)
        self._begin()

    def _begin(self) -> None:
        families = self._families
        families.start.set(time.time())
        families.workers.set(1)
        families.starts.inc()
        families.build.labels(version_of("assay")).set(1)
        for unknown in (families.answering, families.age, families.wanted):
            unknown.set(GONE)
        self._look()

    def request(self, exchange: Exchange) -> None:
        """Count one request that was answered, its error and its texts, or the rows of its file."""
        self._requests.add(exchange)

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        self._decisions.add(decisions)

    def flush(self) -> None:
        """Count what was added up, where all workers read it."""
        # One at a time: else what reads the counts could overtake the one that has just taken them.
        with self._flushing:
            self._requests.flush()
            self._decisions.flush()

    def forget(self) -> None:
        """Begin anew to add up, in a process that was forked: what waits is its parent's to count."""
        self._flushing = threading.Lock()
        self._requests.forget()
        self._decisions.forget()

    def rejected(self, reason: str, count: int = 1) -> None:
        """Count requests that were turned away although nothing was wrong with them."""
        self._families.rejected.labels(reason).inc(count)

    def unlogged(self) -> None:
        """Count a request that the request log has no line of."""
        self._families.unlogged.inc()

    def swapped(self, task: str, outcome: SwapOutcome) -> None:
        """Count an attempt to let another version answer for a task."""
        self._families.swaps.labels(task, outcome).inc()

    def serving(self, task: str, version: str) -> None:
        """Say which version answers for a task in this process from now on; none when it is empty."""
        before = self._answering.get(task)
        if before is not None:
            self._families.served.labels(task, before).set(0)
        self._answering[task] = version
        for outcome in get_args(SwapOutcome):
            # From 0 up: Prometheus sees no rise in a series that begins with its first event.
            self._families.swaps.labels(task, outcome)
        self._families.served.labels(task, version).set(1)
        if before is not None and before != version:
            self._left(task, before)

    def registry(self, answering: bool, age_seconds: float, wanted: int) -> None:
        """Say whether the registry answers, when it last did, and how many tasks wait for a version."""
        self._families.answering.set(int(answering))
        self._families.age.set(age_seconds)
        self._families.wanted.set(wanted)

    def degraded(self, part: str, trouble: bool) -> None:
        """Say whether a part that the service can do without is out of order."""
        self._families.degraded.labels(part).set(int(trouble))

    def load(
        self, *, delay: float, in_flight: int, connections: int, waiting: int = 0, texts: int = 0
    ) -> None:
        """Say how busy this process is; the delay of its event loop is in seconds.

        ``waiting`` counts the requests that wait for a thread, ``texts`` what they bring
        and what is decided there.
        """
        self._families.delay.set(delay)
        self._families.in_flight.set(in_flight)
        self._families.connections.set(connections)
        self._families.waiting.set(waiting)
        self._families.deciding.set(texts)
        self.flush()
        self._look()

    def statistics(self) -> dict[str, Any]:
        """Return what happened since the service started, in all processes, as ``/health`` shows it."""
        self.flush()
        return statistics_of(self._read())

    def render(self) -> bytes:
        """Return every count in Prometheus' text format, as ``content_type`` says."""
        self.flush()
        self._look()
        return generate_latest(self._registry)

    def _look(self) -> None:
        """Note what this process uses, unless that was done just now."""
        with self._looking:
            now = time.monotonic()
            if now - self._looked < PROCESS_SECONDS:
                return
            self._looked = now
        # Unreadable when all files that may be open are: the figures of before stand, requests go on.
        with suppress(OSError):
            found = self._used()
            self._families.resident.set(found.resident)
            self._families.files.set(found.files)
            self._families.threads.set(found.threads)
            self._families.cpu.inc(max(0.0, found.cpu - self._computed))
            self._computed = found.cpu

    def _read(self) -> Iterable[Metric]:
        if self._folder is None:
            return self._registry.collect()
        # Without most gauges, which tell nothing here.
        kinds = ("counter_*", "histogram_*", "gauge_min_*")
        files = [str(path) for kind in kinds for path in self._folder.glob(f"{kind}.db")]
        return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]


def _forget_when_forked(counters: Counters) -> None:
    # What is registered stays for ever, and would keep the object.
    held = weakref.ref(counters)

    def forget() -> None:
        if (found := held()) is not None:
            found.forget()

    os.register_at_fork(after_in_child=forget)
