"""What ``/health`` tells of the decisions, worked out from the counts."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Metric


def statistics_of(metrics: Iterable[Metric]) -> dict[str, Any]:
    """Return counts and shares of the labels and the mean confidence, by task, since the service started."""
    labels: dict[str, Counter[str]] = {}
    confidence: dict[str, float] = {}
    since = 0.0
    for metric in metrics:
        for sample in metric.samples:
            if sample.name == "assay_decisions_total":
                counts = labels.setdefault(sample.labels["task"], Counter())
                counts[sample.labels["label"]] += int(sample.value)
            elif sample.name == "assay_confidence_total":
                confidence[sample.labels["task"]] = sample.value
            elif sample.name == "assay_start_time_seconds":
                since = sample.value
    tasks = {task: _of_task(counts, confidence.get(task, 0.0)) for task, counts in sorted(labels.items())}
    return {
        "since": datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds"),
        "decisions": sum(task["decisions"] for task in tasks.values()),
        "tasks": tasks,
    }


def _of_task(counts: Counter[str], confidence: float) -> dict[str, Any]:
    # Another worker may have made a counter and not counted yet.
    total = counts.total()
    return {
        "decisions": total,
        "labels": dict(sorted(counts.items())),
        "shares": {label: count / (total or 1) for label, count in sorted(counts.items())},
        "mean_confidence": confidence / total if total else None,
    }
