"""Counts for Prometheus and for ``/health``, of one process or of all workers together."""

import os
import time
from collections import Counter as Tally
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from assay.estimators import Decision
from assay.service import Exchange, SwapOutcome
from assay.telemetry.families import Families
from assay.telemetry.statistics import statistics_of


class Counters:
    """What the service counts.

    Parameters
    ----------
    folder
        Where the workers of a service keep their counts, so that each can tell those of all; one object
        of a process may have such a folder. Left out, the counts are of this object alone.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        if folder:
            # What the library does itself when the variable is set before it is imported.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self._families = Families(None if folder else self._registry)
        self._versions: dict[str, str] = {}
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        if folder:
            MultiProcessCollector(self._registry, str(folder))  # type: ignore[no-untyped-call]
        self._families.start.set(time.time())

    def request(self, exchange: Exchange) -> None:
        """Count one request that was answered, its error and the rows of its file."""
        families = self._families
        kind = exchange.route, exchange.method, exchange.status
        if kind not in self._answered:
            # The library's own look-up takes longer than the counting.
            count = families.requests.labels(exchange.route, exchange.method, str(exchange.status))
            self._answered[kind] = count, families.seconds.labels(exchange.route, exchange.method)
        count, seconds = self._answered[kind]
        count.inc()
        seconds.observe(exchange.seconds)
        if exchange.code:
            families.errors.labels(exchange.code).inc()
        if exchange.rows:
            families.rows.labels(exchange.task).inc(exchange.rows)
            families.row_errors.labels(exchange.task).inc(exchange.row_errors)

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        tally = Tally((each.task, each.version, each.label, each.decided_by) for each in decisions)
        for labels, count in tally.items():
            self._families.decisions.labels(*labels).inc(count)
        confidence: dict[str, float] = {}
        for each in decisions:
            confidence[each.task] = confidence.get(each.task, 0.0) + each.confidence
        for task, total in confidence.items():
            self._families.confidence.labels(task).inc(total)

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
        before = self._versions.get(task)
        if before is not None:
            self._families.served.labels(task, before).set(0)
        self._versions[task] = version
        self._families.served.labels(task, version).set(1)

    def degraded(self, part: str, trouble: bool) -> None:
        """Say whether a part that the service can do without is out of order."""
        self._families.degraded.labels(part).set(int(trouble))

    def load(self, *, delay: float, in_flight: int, connections: int) -> None:
        """Say how busy this process is; the delay of its event loop is in seconds."""
        self._families.delay.set(delay)
        self._families.in_flight.set(in_flight)
        self._families.connections.set(connections)

    def drift(
        self, task: str, version: str, scores: Mapping[str, float], alarms: Collection[str], decisions: int
    ) -> None:
        """Say how far each statistic of a version lies from its profile, and which are alarms."""
        for name, psi in scores.items():
            self._families.drift.labels(task, version, name).set(psi)
            self._families.drift_alarm.labels(task, version, name).set(int(name in alarms))
        self._families.watched.labels(task, version).set(decisions)

    def statistics(self) -> dict[str, Any]:
        """Return what was decided since the service started, in all processes, as ``/health`` shows it."""
        return statistics_of(self._read())

    def render(self) -> bytes:
        """Return every count in Prometheus' text format, as ``content_type`` says."""
        return generate_latest(self._registry)

    def _read(self) -> Iterable[Metric]:
        if self._folder is None:
            return self._registry.collect()
        # Without the histograms, which are the most of the files and tell nothing here.
        files = [
            str(path) for kind in ("counter_*", "gauge_min_*") for path in self._folder.glob(f"{kind}.db")
        ]
        return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]
