"""The families of metrics that the service has, each with its labels and what it means."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (
    *(50e-6, 100e-6, 250e-6, 500e-6),
    *(1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3),
    *(1.0, 2.5, 5.0, 10.0),
)
"""Upper bounds in seconds: one short text takes tens of microseconds, a full batch up to seconds."""

Over = Literal["livesum", "livemax", "min"]
"""How the values of several workers make one: of those that live, or of all that ever ran."""


class Families:
    """Every family, made in one registry, or in none where files of several processes are read instead."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry
        self.requests = self._counter(
            "requests", "HTTP requests by route template, method and status.", "route", "method", "status"
        )
        self.seconds = Histogram(
            "assay_request_seconds",
            "Seconds from a request's first byte of headers to its last byte of answer.",
            ("route", "method"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.errors = self._counter(
            "errors", "Requests that were answered with an error, by its code.", "code"
        )
        self.rejected = self._counter(
            "rejected", "Requests turned away although nothing was wrong with them, by reason.", "reason"
        )
        self.decisions = self._counter(
            "decisions",
            "Decisions by task, version, label and the tier that decided.",
            *("task", "version", "label", "decided_by"),
        )
        self.confidence = self._counter(
            "confidence", "Sum of the confidences of all decisions of a task.", "task"
        )
        self.rows = self._counter("batch_rows", "Rows of uploaded files.", "task")
        self.row_errors = self._counter(
            "batch_row_errors", "Rows of uploaded files that could not be decided.", "task"
        )
        self.swaps = self._counter(
            "swaps", "Attempts to let another version answer, by task and outcome.", "task", "outcome"
        )
        self.unlogged = self._counter(
            "request_log_dropped", "Requests without a line in the request log: it could not keep up."
        )
        self._add_states()

    def _add_states(self) -> None:
        self.served = self._gauge(
            "served", "Workers in which this version answers for its task.", "livesum", "task", "version"
        )
        self.degraded = self._gauge(
            "degraded", "1 while a part that the service can do without is out of order.", "livemax", "part"
        )
        self.in_flight = self._gauge("in_flight", "Requests that came and are not answered yet.", "livesum")
        self.connections = self._gauge("connections", "Open connections.", "livesum")
        self.delay = self._gauge(
            "loop_delay_seconds", "Delay of the event loop, of the worker with the longest.", "livemax"
        )
        self.start = self._gauge(
            "start_time_seconds", "When the service began to count, in seconds since the epoch.", "min"
        )

        self.drift = self._gauge(
            "drift_psi",
            "Distance (PSI) of the newest decisions from the profile frozen at training, by statistic.",
            "livemax",
            *("task", "version", "statistic"),
        )
        self.drift_alarm = self._gauge(
            "drift_alarm",
            "1 while a statistic of the newest decisions is not as it was at training.",
            "livemax",
            *("task", "version", "statistic"),
        )
        self.watched = self._gauge(
            "drift_decisions",
            "Decisions that were compared with the profile of their version.",
            "livemax",
            *("task", "version"),
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"assay_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, over: Over, *labels: str) -> Gauge:
        return Gauge(f"assay_{name}", meaning, labels, registry=self._registry, multiprocess_mode=over)
