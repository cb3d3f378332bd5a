"""Requests, added up in memory until they are counted together."""

import threading

from assay.service import Exchange
from assay.telemetry.metrics.binned import Binned
from assay.telemetry.metrics.families import BUCKETS, TEXT_BUCKETS, Families

Kind = tuple[str, str, int, str, str]
"""Route, method, status, task and code of the error."""


class RequestTally:
    """Requests of one kind."""

    __slots__ = ("requests", "row_errors", "rows", "seconds", "texts")

    def __init__(self) -> None:
        self.requests = self.rows = self.row_errors = 0
        self.seconds, self.texts = Binned(BUCKETS), Binned(TEXT_BUCKETS)

    def add(self, exchange: Exchange) -> None:
        """Add a request up."""
        self.requests += 1
        self.seconds.add(exchange.seconds)
        if exchange.rows:
            self.rows += exchange.rows
            self.row_errors += exchange.row_errors
        elif exchange.texts:
            self.texts.add(exchange.texts)

    def add_to(self, families: Families, kind: Kind) -> None:
        """Count them."""
        route, method, status, task, code = kind
        families.requests.labels(route, method, str(status), task).inc(self.requests)
        self.seconds.add_to(families.seconds.labels(route, method, task))
        if code:
            families.errors.labels(code).inc(self.requests)
        if self.rows:
            families.rows.labels(task).inc(self.rows)
            families.row_errors.labels(task).inc(self.row_errors)
        if self.texts.sum:
            self.texts.add_to(families.texts.labels(task))


class RequestTallies:
    """Adds requests up; threads may share one."""

    def __init__(self, families: Families) -> None:
        self._families = families
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a process does that was forked: what waits is its parent's to count."""
        self._lock = threading.Lock()
        self._tallies: dict[Kind, RequestTally] = {}

    def add(self, exchange: Exchange) -> None:
        """Add a request up."""
        kind = exchange.route, exchange.method, exchange.status, exchange.task, exchange.code
        with self._lock:
            tally = self._tallies.get(kind)
            if tally is None:
                tally = self._tallies[kind] = RequestTally()
            tally.add(exchange)

    def flush(self) -> None:
        """Count what was added up."""
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        for kind, tally in tallies.items():
            tally.add_to(self._families, kind)
