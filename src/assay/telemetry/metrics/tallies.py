"""Decisions, added up in memory until they are counted together."""

import threading
from collections.abc import Sequence

from assay.estimators import Decision
from assay.telemetry.metrics.binned import Binned
from assay.telemetry.metrics.families import SCORE_BUCKETS, Families

Kind = tuple[str, str, str, str, str | None]
"""Task, version, label, tier and rule."""


class DecisionTally:
    """Decisions of one kind."""

    __slots__ = ("confidence", "decisions", "reviews", "scores")

    def __init__(self) -> None:
        self.decisions = self.reviews = 0
        self.confidence = 0.0
        self.scores = Binned(SCORE_BUCKETS)

    def add(self, decision: Decision) -> None:
        """Add a decision up."""
        self.decisions += 1
        self.confidence += decision.confidence
        if decision.score is not None:
            self.scores.add(decision.score)
        if decision.review:
            self.reviews += 1

    def join(self, other: "DecisionTally") -> None:
        """Add up what another one has."""
        self.decisions += other.decisions
        self.reviews += other.reviews
        self.confidence += other.confidence
        self.scores.join(other.scores)

    def add_to(self, families: Families, kind: Kind) -> None:
        """Count them."""
        task, version, label, tier, rule = kind
        families.decisions.labels(task, version, label, tier, rule or "").inc(self.decisions)
        families.confidence.labels(task, version).inc(self.confidence)
        families.reviews.labels(task, version).inc(self.reviews)
        self.scores.add_to(families.scores.labels(task, version))


class DecisionTallies:
    """Adds decisions up by what Prometheus tells apart; threads may share one."""

    def __init__(self, families: Families) -> None:
        self._families = families
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a process does that was forked: what waits is its parent's to count."""
        self._lock = threading.Lock()
        self._tallies: dict[Kind, DecisionTally] = {}

    def add(self, decisions: Sequence[Decision]) -> None:
        """Add decisions up, of one version or of several."""
        if len(decisions) == 1:
            with self._lock:
                _add(self._tallies, decisions[0])
            return
        # Apart, so that no request waits for the lock while a file's rows are gone through.
        many: dict[Kind, DecisionTally] = {}
        for each in decisions:
            _add(many, each)
        with self._lock:
            for kind, tally in many.items():
                self._tallies.setdefault(kind, DecisionTally()).join(tally)

    def flush(self) -> None:
        """Count what was added up."""
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        for kind, tally in tallies.items():
            tally.add_to(self._families, kind)


def _add(tallies: dict[Kind, DecisionTally], each: Decision) -> None:
    kind = each.task, each.version, each.label, each.decided_by, each.rule
    tally = tallies.get(kind)
    if tally is None:
        tally = tallies[kind] = DecisionTally()
    tally.add(each)
