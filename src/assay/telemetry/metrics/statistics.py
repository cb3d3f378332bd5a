"""What ``/health`` tells of requests and decisions, worked out from the counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Metric
from prometheus_client.samples import Sample

from assay.telemetry.metrics.quantiles import quantile

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
TOP_RULES = 10
"""How many rules of a task are named, those that decided most."""


def statistics_of(metrics: Iterable[Metric]) -> dict[str, Any]:
    """Return requests, latencies and decisions, all together and by task, since the service started."""
    told = _Told()
    for metric in metrics:
        for sample in metric.samples:
            if take := _TAKES.get(sample.name):
                take(told, sample)
    tasks = {name: tally.shown() for name, tally in sorted(told.tasks.items()) if name}
    requests, seconds = Counter[str](), Counter[float]()
    for name, tally in told.tasks.items():
        requests.update(tally.statuses)
        if name:
            # Not added with +, which leaves out the empty buckets: they bound the ones after them.
            seconds.update(tally.seconds)
    return {
        "since": datetime.fromtimestamp(told.since, UTC).isoformat(timespec="seconds"),
        **_requests(requests),
        "errors": dict(sorted(told.errors.items())),
        "latency": _latency(seconds),
        "decisions": sum(task["decisions"] for task in tasks.values()),
        "tasks": tasks,
    }


@dataclass
class _Tally:
    """What was counted of one task."""

    labels: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: Counter[float] = field(default_factory=Counter)
    confidence: float = 0.0
    reviews: int = 0

    def shown(self) -> dict[str, Any]:
        # Another worker may have made a counter and not counted yet.
        total = self.labels.total()
        return {
            **_requests(self.statuses),
            "latency": _latency(self.seconds),
            "decisions": total,
            "labels": dict(sorted(self.labels.items())),
            "shares": {label: count / (total or 1) for label, count in sorted(self.labels.items())},
            "mean_confidence": self.confidence / total if total else None,
            "review_share": self.reviews / total if total else None,
            "tiers": dict(sorted(self.tiers.items())),
            "rules": dict(self.rules.most_common(TOP_RULES)),
            "versions": dict(sorted(self.versions.items())),
        }


class _Told:
    """What the samples have told so far."""

    def __init__(self) -> None:
        self.since = 0.0
        self.errors: Counter[str] = Counter()
        self.tasks: dict[str, _Tally] = {}

    def start(self, sample: Sample) -> None:
        self.since = sample.value

    def error(self, sample: Sample) -> None:
        self.errors[sample.labels["code"]] += int(sample.value)

    def request(self, sample: Sample) -> None:
        self._task(sample).statuses[sample.labels["status"]] += int(sample.value)

    def second(self, sample: Sample) -> None:
        self._task(sample).seconds[float(sample.labels["le"])] += int(sample.value)

    def decision(self, sample: Sample) -> None:
        tally, count = self._task(sample), int(sample.value)
        tally.labels[sample.labels["label"]] += count
        tally.tiers[sample.labels["decided_by"]] += count
        tally.versions[sample.labels["version"]] += count
        if rule := sample.labels["rule"]:
            tally.rules[rule] += count

    def confidence(self, sample: Sample) -> None:
        self._task(sample).confidence += sample.value

    def review(self, sample: Sample) -> None:
        self._task(sample).reviews += int(sample.value)

    def _task(self, sample: Sample) -> _Tally:
        return self.tasks.setdefault(sample.labels["task"], _Tally())


_TAKES = {
    "assay_start_time_seconds": _Told.start,
    "assay_errors_total": _Told.error,
    "assay_requests_total": _Told.request,
    "assay_request_seconds_bucket": _Told.second,
    "assay_decisions_total": _Told.decision,
    "assay_confidence_total": _Told.confidence,
    "assay_reviews_total": _Told.review,
}


def _requests(statuses: Counter[str]) -> dict[str, Any]:
    total, failed = statuses.total(), sum(n for status, n in statuses.items() if status >= "500")
    return {"requests": total, "failed": failed, "error_rate": failed / total if total else None}


def _latency(seconds: Counter[float]) -> dict[str, float | None]:
    return {name: quantile(share, seconds) for name, share in QUANTILES.items()}
