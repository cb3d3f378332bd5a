"""Counts for Prometheus: requests, latencies, decisions."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from assay.estimators import Decision
from assay.service import Exchange

BUCKETS = (
    *(50e-6, 100e-6, 250e-6, 500e-6),
    *(1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3),
    *(1.0, 2.5, 5.0, 10.0),
)
"""Upper bounds in seconds: one short text takes tens of microseconds, a full batch up to seconds."""


class Counters:
    """The counters of one process, in a registry of their own."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "assay_requests",
            "HTTP requests by route template, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "assay_request_seconds",
            "Seconds from a request's first byte of headers to its last byte of answer.",
            ("route", "method"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._decisions = Counter(
            "assay_decisions",
            "Decisions by task, version, label and the tier that decided.",
            ("task", "version", "label", "decided_by"),
            registry=self._registry,
        )

    def request(self, exchange: Exchange) -> None:
        """Count one request that was answered."""
        self._requests.labels(exchange.route, exchange.method, str(exchange.status)).inc()
        self._seconds.labels(exchange.route, exchange.method).observe(exchange.seconds)

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        tally = Tally((each.task, each.version, each.label, each.decided_by) for each in decisions)
        for labels, count in tally.items():
            self._decisions.labels(*labels).inc(count)

    def render(self) -> bytes:
        """Return every count in Prometheus' text format, as ``content_type`` says."""
        return generate_latest(self._registry)
