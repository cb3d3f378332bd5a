"""What this process decided since it started."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.estimators import Decision
from assay.service.models import now


@dataclass
class Tally:
    """Decisions of one task: how many of each label, and the sum of their confidences."""

    labels: Counter[str] = field(default_factory=Counter)
    confidence: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return counts, shares of the labels and the mean confidence."""
        total = self.labels.total()
        return {
            "decisions": total,
            "labels": dict(sorted(self.labels.items())),
            "shares": {label: count / total for label, count in sorted(self.labels.items())},
            "mean_confidence": self.confidence / total,
        }


class LiveStatistics:
    """Counts of decisions by task and label, of one process, since it started."""

    def __init__(self) -> None:
        self.since = now()
        self._tallies: dict[str, Tally] = {}

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        for decision in decisions:
            tally = self._tallies.setdefault(decision.task, Tally())
            tally.labels[decision.label] += 1
            tally.confidence += decision.confidence

    def to_dict(self) -> dict[str, Any]:
        """Return everything counted, by task."""
        tasks = {task: tally.to_dict() for task, tally in sorted(self._tallies.items())}
        return {
            "since": self.since,
            "decisions": sum(task["decisions"] for task in tasks.values()),
            "tasks": tasks,
        }
