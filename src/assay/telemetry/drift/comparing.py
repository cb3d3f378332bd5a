"""Gathered decisions against the profile, statistic by statistic.

A statistic is put to two tests: whether the whole span is like the profile, and whether anything changed
within it. What began within it is compared from there on, so that the change of an hour is not lost in a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Reference, share_bounds
from assay.telemetry.drift.distances import checks_of, distance_of, psi, psi_by_chance
from assay.telemetry.drift.findings import ALPHA, LEAST_PSI, Finding, Point, Share, Since
from assay.telemetry.drift.gathering import Gathered
from assay.telemetry.drift.since import Change, find_change
from assay.telemetry.drift.watch import FEWEST_ROWS

FEWEST_DECISIONS = 100
"""Decisions without which a statistic is not compared."""
OF_A_POINT = 200
"""Decisions that a point of a line over time stands for, at least."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def findings_of(gathered: Gathered, *, positive: str) -> tuple[Finding, ...]:
    """Return what became of each statistic of a profile in a span; ``positive`` is the task's label.

    Tests are of the logged decisions, shares of all that were decided. Raises MissingExtra without scipy.
    """
    parts = [_Part.of(gathered, at, reference, positive) for at, reference in enumerate(gathered.references)]
    corrected = holm([part.p for part in parts])
    return tuple(part.finding(p) for part, p in zip(parts, corrected, strict=True))


def holm(ps: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979): rejecting those under a level keeps to it.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(ps)), key=ps.__getitem__)
    found, highest = [0.0] * len(ps), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[at]))
        found[at] = highest
    return found


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One statistic of what was gathered."""

    reference: Reference
    edges: Floats
    counts: Counts
    weights: Floats
    effective: float
    positive: str
    change: Change | None

    @classmethod
    def of(cls, gathered: Gathered, at: int, reference: Reference, positive: str) -> "_Part":
        counts = gathered.counts[at]
        return cls(
            reference=reference,
            edges=gathered.edges,
            counts=counts,
            weights=gathered.weights[at],
            effective=gathered.effective(),
            positive=positive,
            change=find_change(counts),
        )

    @property
    def comparable(self) -> bool:
        return bool(self.counts.sum() >= FEWEST_DECISIONS and self.reference.rows >= FEWEST_ROWS)

    @property
    def p(self) -> float:
        """The smaller of the two tests' p-values, twice; 1 where nothing is compared."""
        if not self.comparable:
            return 1.0
        whole = distance_of(self.reference, self.counts.sum(axis=0)).p * checks_of(self.reference)
        return min(1.0, 2 * whole, 2 * (self.change.p if self.change else 1.0))

    def finding(self, corrected: float) -> Finding:
        since = self.since()
        begin = self.change.at if self.change and since.kind in ("began", "grew") else 0
        counts, weights = self.counts[begin:].sum(axis=0), self.weights[begin:].sum(axis=0)
        distance = distance_of(self.reference, counts)
        told = self.told(counts, weights) if self.comparable else None
        matters = distance.psi - distance.chance >= LEAST_PSI[self.reference.kind]
        alarm = told is not None and corrected < ALPHA and matters
        return Finding(
            name=self.reference.name,
            kind=self.reference.kind,
            labels=self.reference.labels,
            edges=self.reference.edges,
            then=self.reference.counts,
            counts=tuple(counts.tolist()),
            now=tuple((weights / (weights.sum() or 1)).tolist()),
            decisions=int(counts.sum()),
            psi=distance.psi,
            chance=distance.chance,
            p=self.p,
            corrected=corrected,
            alarm=alarm,
            told=told,
            since=since if alarm or since.at else None,
            points=tuple(self.points(told)) if told else (),
        )

    def since(self) -> Since:
        """Return when the statistic changed; all through the span where chance explains the best split."""
        change, then = self.change, np.array(self.reference.counts, np.int64)
        if change is None or 2 * change.p >= ALPHA or self.counts[change.at :].sum() < FEWEST_DECISIONS:
            return Since(kind="whole", p=None if change is None else change.p)
        parts = self.counts[: change.at].sum(axis=0), self.counts[change.at :].sum(axis=0)
        least = LEAST_PSI[self.reference.kind]
        strays = [psi(then, part) - psi_by_chance(then, part) >= least for part in parts]
        nearer = psi(then, parts[1]) < psi(then, parts[0])
        kind: Literal["began", "grew", "shrank", "ended"]
        kind = "began" if not strays[0] else "ended" if not strays[1] else "shrank" if nearer else "grew"
        # A change inside a block shows at either of its ends.
        ends = self.edges[change.low - 1], self.edges[min(change.high + 1, len(self.edges) - 1)]
        low, high = (_moment(each) for each in ends)
        return Since(kind=kind, at=_moment(self.edges[change.at]), low=low, high=high, p=change.p)

    def told(self, counts: Counts, weights: Floats) -> Share:
        """Return the bins that tell most of a change."""
        then = np.array(self.reference.counts) / self.reference.rows
        gains = weights / weights.sum() - then
        first, last = self.telling(gains)
        inside = slice(first, last + 1)
        share = float(weights[inside].sum() / weights.sum())
        low, high = bounds(share, counts.sum() * self.effective)
        return Share(first=first, last=last, now=share, low=low, high=high, then=float(then[inside].sum()))

    def telling(self, gains: Floats) -> tuple[int, int]:
        name, labels = self.reference.name, self.reference.labels
        if name in ("above", "near"):
            return 0, 0
        if name == "label" and len(gains) == 2 and self.positive in labels:
            return labels.index(self.positive), labels.index(self.positive)
        if self.reference.kind == "categories":
            # Of what decided, a rule says more than the model, which is the first.
            begin = 1 if name == "decided_by" and len(gains) > 1 else 0
            at = int(np.argmax(np.abs(gains[begin:]))) + begin
            return at, at
        passed = np.cumsum(gains)[:-1]
        if not len(passed):
            return 0, 0
        edge = int(np.argmax(np.abs(passed)))
        return (0, edge) if passed[edge] > 0 else (edge + 1, len(gains) - 1)

    def points(self, told: Share) -> Iterator[Point]:
        """Yield stretches of the span, each of enough decisions for a PSI that means something."""
        begin = 0
        for end in range(1, len(self.counts) + 1):
            rows, rest = int(self.counts[begin:end].sum()), int(self.counts[end:].sum())
            # What is left behind the last point would be too little for one of its own.
            if end < len(self.counts) and (rows < OF_A_POINT or rest < OF_A_POINT):
                continue
            yield self.point(begin, end, told)
            begin = end

    def point(self, begin: int, end: int, told: Share) -> Point:
        then, inside = np.array(self.reference.counts, np.int64), slice(told.first, told.last + 1)
        counts, weights = self.counts[begin:end].sum(axis=0), self.weights[begin:end].sum(axis=0)
        share = float(weights[inside].sum() / weights.sum())
        low, high = bounds(share, counts.sum() * self.effective)
        return Point(
            begin=_moment(self.edges[begin]),
            end=_moment(self.edges[end]),
            decisions=int(counts.sum()),
            psi=psi(then, counts),
            chance=psi_by_chance(then, counts),
            share=share,
            low=low,
            high=high,
        )


def bounds(share: float, rows: float) -> tuple[float, float]:
    """Return the exact interval of a share among so many decisions, or what they are worth."""
    whole = max(1, round(rows))
    return share_bounds(min(whole, round(share * whole)), whole)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
