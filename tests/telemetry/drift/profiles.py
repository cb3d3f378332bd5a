"""Profiles and decisions made up, so small that a test reads at a glance what is counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.estimators import Profile, Reference
from assay.telemetry import DriftMonitor
from assay.telemetry.decisions.record import Record

ROWS = 1_000


def profile(task: str = "spam", scale: int = 1) -> Profile:
    """Return the profile of 1,000 rows, of which 10 % are spam by the model and 5 % by a rule."""
    return Profile(
        task=task,
        rows=ROWS * scale,
        statistics=(
            categories("label", {"ham": 850, "spam": 150}, scale),
            categories("decided_by", {"model": 950, "prize": 50}, scale),
            categories("above", {"at or above": 100, "below": 850}, scale),
            categories("near", {"near": 50, "elsewhere": 900}, scale, band=(0.4, 0.6)),
            numbers("score", {0.1: 500, 0.5: 350, 1.0: 100}, scale),
            numbers("characters", {10: 100, 100: 800, np.inf: 100}, scale),
        ),
    )


def categories(name: Any, counts: dict[str, int], scale: int = 1, **known: Any) -> Reference:
    """Return a statistic of categories."""
    scaled = tuple(count * scale for count in counts.values())
    return Reference(name=name, kind="categories", labels=tuple(counts), counts=scaled, **known)


def numbers(name: Any, counts: dict[float, int], scale: int = 1) -> Reference:
    """Return a statistic of numbers; each count is that of the values below its key."""
    *edges, _ = counts
    scaled = tuple(count * scale for count in counts.values())
    return Reference(name=name, kind="numbers", edges=tuple(edges), counts=scaled)


def record(score: float | None = 0.05, **known: Any) -> Record:
    """Return a decision of the task spam at the threshold 0.5; without a score the rule decided."""
    spam = score is None or score >= 0.5
    values: dict[str, Any] = {
        "at": 0.0,
        "id": "0" * 32,
        "task": "spam",
        "model": "SpamClassifier",
        "version": "3",
        "label": "spam" if spam else "ham",
        "confidence": 0.9,
        "score": score,
        "threshold": 0.5,
        "rule": "prize" if score is None else None,
        "characters": 50,
    }
    return Record(**values | known)


def usual(count: int, seed: int = 0) -> list[Record]:
    """Return decisions like those of the profile."""
    rng = np.random.default_rng(seed)
    scores = rng.choice([0.05, 0.3, 0.45, 0.8, -1.0], size=count, p=[0.5, 0.3, 0.05, 0.1, 0.05])
    sizes = rng.choice([5, 50, 500], size=count, p=[0.1, 0.8, 0.1])
    return [
        record(None if score < 0 else score, characters=size)
        for score, size in zip(scores.tolist(), sizes.tolist(), strict=True)
    ]


def spammy(count: int) -> list[Record]:
    """Return decisions of which every one is spam."""
    return [record(0.8) for _ in range(count)]


class Sink:
    """Keeps what it is told of drift."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, float], list[str], int]] = []

    def drift(self, task: str, version: str, scores: Any, alarms: Sequence[str], decisions: int) -> None:
        """Keep it."""
        self.told.append((task, version, dict(scores), sorted(alarms), decisions))


PROFILE = profile(scale=20)


def known(task: str, version: str) -> Profile | None:
    """Return the one profile there is, of every version but 0."""
    return PROFILE if version != "0" else None


def worker(folder: Path | None, sink: Any = None, at: float = 0.0) -> DriftMonitor:
    """Return the watch of one worker."""
    return DriftMonitor(known, sink or Sink(), folder, clock=lambda: at)
