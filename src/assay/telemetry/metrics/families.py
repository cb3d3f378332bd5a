"""The families of metrics: labels, meaning, and how the values of several workers make one."""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (
    *(50e-6, 100e-6, 250e-6, 500e-6),
    *(1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3),
    *(1.0, 2.5, 5.0, 10.0),
)
"""Upper bounds in seconds: one short text takes tens of microseconds, a full batch up to seconds."""

TEXT_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
TOKEN_BUCKETS = tuple(float(2**power) for power in range(4, 15))
SCORE_BUCKETS = tuple(step / 20 for step in range(1, 21))

State = Literal["livesum", "livemax", "livemin", "min"]
Over = Literal["sum"] | State
"""How the values of several workers make one: of those that live, or of all that ever ran (sum, min)."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric: its name as Prometheus shows it, and what a reader has to know of it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    over: Over


class Families:
    """Every family, made in one registry, or in none where files of several processes are read instead."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry
        self.listed: list[Family] = []
        self._add_requests()
        self._add_decisions()
        self._add_load()
        self._add_batches()
        self._add_cache()
        self._add_versions()
        self._add_log()
        self._add_drift()
        self._add_feedback()
        self._add_process()

    def _add_requests(self) -> None:
        self.requests = self._counter(
            "requests", "HTTP requests by route template, method, status and the task that was asked.",
            "route", "method", "status", "task",
        )  # fmt: skip
        self.seconds = self._histogram(
            "request_seconds", "Seconds from a request's first byte of headers to its last byte of answer.",
            BUCKETS, "route", "method", "task",
        )  # fmt: skip
        self.errors = self._counter(
            "errors", "Requests that were answered with an error, by its code.", "code"
        )
        self.rejected = self._counter(
            "rejected", "Requests turned away although nothing was wrong with them, by reason.", "reason"
        )
        self.texts = self._histogram(
            "request_texts", "Texts of one request; uploaded files are left out.", TEXT_BUCKETS, "task"
        )
        self.rows = self._counter("batch_rows", "Rows of uploaded files.", "task")
        self.row_errors = self._counter(
            "batch_row_errors", "Rows of uploaded files that could not be decided.", "task"
        )

    def _add_decisions(self) -> None:
        self.decisions = self._counter(
            "decisions",
            "Decisions by task, version, label, the tier that decided and, where a rule did, which.",
            *("task", "version", "label", "decided_by", "rule"),
        )
        self.scores = self._histogram(
            "score", "Calibrated scores of the positive label, where the model decided.",
            SCORE_BUCKETS, "task", "version",
        )  # fmt: skip
        self.confidence = self._counter(
            "confidence", "Sum of the confidences of all decisions.", "task", "version"
        )
        self.reviews = self._counter(
            "reviews", "Decisions whose score was inside the review band.", "task", "version"
        )

    def _add_load(self) -> None:
        self.in_flight = self._gauge("in_flight", "Requests that came and are not answered yet.", "livesum")
        self.waiting = self._gauge("waiting", "Requests that wait for a thread to decide them.", "livesum")
        self.deciding = self._gauge(
            "deciding_texts", "Texts that wait for a thread or are decided by one.", "livesum"
        )
        self.connections = self._gauge("connections", "Open connections.", "livesum")
        self.delay = self._gauge(
            "loop_delay_seconds", "Delay of the event loop, of the worker with the longest.", "livemax"
        )
        self.degraded = self._gauge(
            "degraded", "1 while a part that the service can do without is out of order.", "livemax", "part"
        )

    def _add_batches(self) -> None:
        self.queue_texts = self._gauge(
            "queue_texts", "Texts that wait in the queues of costly models.", "livesum"
        )
        self.queue_seconds = self._histogram(
            "queue_seconds", "Seconds that a text waited in the queue of a costly model.", BUCKETS
        )
        self.queue_refused = self._counter(
            "queue_refused", "Texts that came when the queue of their model was full."
        )
        self.deadline_missed = self._counter(
            "deadline_missed", "Texts of requests that were given up when their deadline had passed."
        )
        self.batch_texts = self._histogram(
            "batch_texts", "Texts that a costly model answered together.", TEXT_BUCKETS
        )
        self.batch_tokens = self._histogram(
            "batch_tokens", "Tokens of a batch, those that fill its texts up included.", TOKEN_BUCKETS
        )
        self.batch_seconds = self._histogram("batch_seconds", "Seconds that a batch was computed.", BUCKETS)
        self.batch_failed = self._counter("batch_failed", "Texts that a costly model failed at.")

    def _add_cache(self) -> None:
        self.cache_lookups = self._counter(
            "cache_lookups",
            "Texts looked for in the cache of decisions, by where they were found: local, redis, none.",
            "tier",
        )
        self.cache_entries = self._gauge(
            "cache_entries", "Texts whose logits the workers hold in memory.", "livesum"
        )
        self.cache_bytes = self._gauge("cache_bytes", "Memory that these take.", "livesum")

    def _add_versions(self) -> None:
        self.served = self._gauge(
            "served", "Workers in which this version answers for its task.", "livesum", "task", "version"
        )
        self.swaps = self._counter(
            "swaps", "Attempts to let another version answer, by task and outcome.", "task", "outcome"
        )
        self.answering = self._gauge(
            "registry_answering", "1 when the registry answered every worker's last question.", "livemin"
        )
        self.age = self._gauge(
            "registry_age_seconds", "Seconds since the registry last answered, where it is longest.",
            "livemax",
        )  # fmt: skip
        self.wanted = self._gauge(
            "registry_wanted", "Tasks for which another version should answer than does.", "livemax"
        )

    def _add_log(self) -> None:
        self.unlogged = self._counter(
            "request_log_dropped", "Requests without a line in the request log: it could not keep up."
        )
        self.logged = self._counter("decision_log_written", "Decisions that are in the decision log.")
        self.logged_bytes = self._counter(
            "decision_log_bytes", "Bytes that were written to the decision log, uncompressed."
        )
        self.unlogged_decisions = self._counter(
            "decision_log_dropped",
            "Decisions that the log should have and has not: it could not keep up, or not write.",
        )
        self.log_waiting = self._gauge(
            "decision_log_waiting", "Decisions that wait to be written to the log.", "livesum"
        )
        self.log_lag = self._gauge(
            "decision_log_lag_seconds", "Age of the oldest decision that waits for the log.", "livemax"
        )

    def _add_drift(self) -> None:
        of_statistic = ("task", "version", "statistic")
        self.drift_score = self._gauge(
            "drift_score", "Population stability index of a statistic against the version's profile.",
            "livemax", *of_statistic,
        )  # fmt: skip
        self.drift_alarm = self._gauge(
            "drift_alarm", "1 while a statistic is told to have moved.", "livemax", *of_statistic
        )
        self.drift_decisions = self._gauge(
            "drift_decisions", "Decisions that were compared with the profile.",
            "livemax", "task", "version",
        )  # fmt: skip

    def _add_feedback(self) -> None:
        self.feedback = self._counter(
            "feedback", "Labels that people sent, by what became of them.", "task", "outcome"
        )
        self.quality = self._gauge(
            "live_quality", "Quality on live decisions that have labels: the estimate and its interval.",
            "livemax", "task", "version", "metric", "bound",
        )  # fmt: skip
        self.quality_labels = self._gauge(
            "live_quality_labels", "Labelled decisions behind the live quality.",
            "livemax", "task", "version",
        )  # fmt: skip

    def _add_process(self) -> None:
        self.start = self._gauge(
            "start_time_seconds", "When the service began to count, in seconds since the epoch.", "min"
        )
        self.workers = self._gauge("workers", "Workers that run.", "livesum")
        self.starts = self._counter("worker_starts", "Workers that were started, the first ones included.")
        self.build = self._gauge("build_info", "1, with the version of Assay.", "livemax", "version")
        self.resident = self._gauge(
            "resident_bytes", "Memory that the workers hold; pages that they share count for each.", "livesum"
        )
        self.cpu = self._counter("cpu_seconds", "Seconds of computing, of a processor.")
        self.files = self._gauge("open_files", "Open files, connections included.", "livesum")
        self.threads = self._gauge("threads", "Threads.", "livesum")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._list(f"assay_{name}_total", "counter", labels, meaning, "sum")
        return Counter(f"assay_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, over: State, *labels: str) -> Gauge:
        self._list(f"assay_{name}", "gauge", labels, meaning, over)
        return Gauge(f"assay_{name}", meaning, labels, registry=self._registry, multiprocess_mode=over)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        self._list(f"assay_{name}", "histogram", labels, meaning, "sum")
        return Histogram(f"assay_{name}", meaning, labels, buckets=buckets, registry=self._registry)

    def _list(
        self,
        name: str,
        kind: Literal["counter", "gauge", "histogram"],
        labels: tuple[str, ...],
        meaning: str,
        over: Over,
    ) -> None:
        self.listed.append(Family(name=name, kind=kind, labels=labels, meaning=meaning, over=over))


def families() -> tuple[Family, ...]:
    """Return what there is, in the order of the reference."""
    return tuple(Families(CollectorRegistry()).listed)
