"""Decisions, counted with few writes: many of one request are added up before they are counted."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from assay.estimators import Decision
from assay.telemetry.metrics.families import SCORE_BUCKETS, Families

Kind = tuple[str, str, str, str, str | None]
"""Task, version, label, tier and rule."""


class VersionTally:
    """Scores, confidence and reviews of one version of a task."""

    def __init__(self, families: Families, task: str, version: str) -> None:
        self.confidence: Counter = families.confidence.labels(task, version)
        self.reviews: Counter = families.reviews.labels(task, version)
        self.scores: Histogram = families.scores.labels(task, version)

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count decisions of this version."""
        confidence, reviews, scores = 0.0, 0, []
        for each in decisions:
            confidence += each.confidence
            reviews += each.review
            if each.score is not None:
                scores.append(each.score)
        self.confidence.inc(confidence)
        if reviews:
            self.reviews.inc(reviews)
        if len(scores) == 1:
            self.scores.observe(scores[0])
        elif scores:
            self._observe(scores)

    def _observe(self, scores: list[float]) -> None:
        # What ``observe`` does for one value; it has no form for many, and takes ten times as long.
        for index, count in Tally(bisect_left(SCORE_BUCKETS, score) for score in scores).items():
            self.scores._buckets[index].inc(count)
        self.scores._sum.inc(sum(scores))


class DecisionTallies:
    """Counts decisions by what Prometheus tells apart.

    The library looks a series up by its labels for longer than it counts, so what was looked up is kept.
    """

    def __init__(self, families: Families) -> None:
        self._families = families
        self._kinds: dict[Kind, Counter] = {}
        self._versions: dict[tuple[str, str], VersionTally] = {}

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count decisions, of one version or of several."""
        if len(decisions) == 1:
            self._add_one(decisions[0])
            return
        kinds: dict[Kind, int] = {}
        for each in decisions:
            kind = each.task, each.version, each.label, each.decided_by, each.rule
            kinds[kind] = kinds.get(kind, 0) + 1
        for kind, count in kinds.items():
            (self._kinds.get(kind) or self._kind(kind)).inc(count)
        versions = {kind[:2] for kind in kinds}
        for version in versions:
            same = (
                decisions if len(versions) == 1 else [d for d in decisions if (d.task, d.version) == version]
            )
            (self._versions.get(version) or self._version(version)).add(same)

    def _add_one(self, each: Decision) -> None:
        kind = each.task, each.version, each.label, each.decided_by, each.rule
        (self._kinds.get(kind) or self._kind(kind)).inc()
        tally = self._versions.get(kind[:2]) or self._version(kind[:2])
        tally.confidence.inc(each.confidence)
        if each.score is not None:
            tally.scores.observe(each.score)
        if each.review:
            tally.reviews.inc()

    def _kind(self, kind: Kind) -> Counter:
        child: Counter = self._families.decisions.labels(*kind[:4], kind[4] or "")
        return self._kinds.setdefault(kind, child)

    def _version(self, version: tuple[str, str]) -> VersionTally:
        return self._versions.setdefault(version, VersionTally(self._families, *version))
