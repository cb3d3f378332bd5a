"""Statistics of logged decisions, in one pass and constant memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assay.telemetry.decisions.record import Record

BINS = 1_000
TENTHS = 10
COUNTED = ("version", "label", "decided_by", "rule", "key")
"""Fields whose values are counted."""


@dataclass
class TaskTally:
    """Counts of one task's decisions; each counts for one over the share that was logged with it."""

    logged: int = 0
    weight: float = 0.0
    review: float = 0.0
    confidence: float = 0.0
    characters: float = 0.0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    _scores: list[float] = field(default_factory=lambda: [0.0] * BINS)

    def add(self, record: Record) -> None:
        """Count one decision."""
        weight = 1.0 / record.share
        self.logged += 1
        self.weight += weight
        self.review += weight * record.review
        self.confidence += weight * record.confidence
        self.characters += weight * record.characters
        for name, counter in self.counts.items():
            if (value := getattr(record, name)) is not None:
                counter[value] += weight  # type: ignore[assignment]
        if record.score is not None:
            self._scores[min(max(int(record.score * BINS), 0), BINS - 1)] += weight

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; decisions that were not logged are made up for."""
        return {
            "decisions": round(self.weight),
            "logged": self.logged,
            **{name: _ordered(counter) for name, counter in self.counts.items()},
            "review": round(self.review),
            "review_share": self.review / self.weight,
            "mean_confidence": self.confidence / self.weight,
            "mean_characters": self.characters / self.weight,
            "scored": round(sum(self._scores)),
            "scores": self._tenths(),
            "score_deciles": self._deciles(),
        }

    def _tenths(self) -> list[int]:
        """Return how many scores lie in each tenth from 0 to 1."""
        wide = BINS // TENTHS
        return [round(sum(self._scores[at : at + wide])) for at in range(0, BINS, wide)]

    def _deciles(self) -> list[float]:
        """Return the nine scores that cut the scored decisions into ten equal parts, to a thousandth."""
        found: list[float] = []
        total, below = sum(self._scores), 0.0
        for at, weight in enumerate(self._scores):
            below += weight
            while len(found) < TENTHS - 1 and total and below >= total * (len(found) + 1) / TENTHS:
                found.append((at + 1) / BINS)
        return found


@dataclass
class LogStatistics:
    """Statistics of logged decisions, by task."""

    tasks: dict[str, TaskTally] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    lowest_share: float = 1.0

    def add(self, record: Record) -> None:
        """Count one decision."""
        if record.task not in self.tasks:
            self.tasks[record.task] = TaskTally()
        self.tasks[record.task].add(record)
        self.first = record.at if self.first is None else min(self.first, record.at)
        self.last = record.at if self.last is None else max(self.last, record.at)
        self.lowest_share = min(self.lowest_share, record.share)

    @property
    def logged(self) -> int:
        """How many decisions were in the log."""
        return sum(task.logged for task in self.tasks.values())

    @property
    def decisions(self) -> int:
        """How many there were, those that were not logged made up for."""
        return round(sum(task.weight for task in self.tasks.values()))

    @property
    def sampled(self) -> bool:
        """Whether only a share was logged, of some of them at least."""
        return self.lowest_share < 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as plain JSON values."""
        return {
            "decisions": self.decisions,
            "logged": self.logged,
            "sampled": self.sampled,
            "first": _moment(self.first),
            "last": _moment(self.last),
            "tasks": {name: task.to_dict() for name, task in sorted(self.tasks.items())},
        }


def tally_records(records: Iterable[Record]) -> LogStatistics:
    """Return the statistics of records.

    >>> spam = Record(at=0.0, id="0" * 32, task="spam", model="M", version="1", label="ham", confidence=0.75)
    >>> statistics = tally_records([spam])
    >>> statistics.tasks["spam"].to_dict()["label"]
    {'ham': 1}
    """
    found = LogStatistics()
    for record in records:
        found.add(record)
    return found


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _ordered(counter: Counter[str]) -> dict[str, int]:
    return {
        name: round(count) for name, count in sorted(counter.items(), key=lambda each: (-each[1], each[0]))
    }
