"""What became of each statistic: how far from the profile, whether chance explains it, since when."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.config import Frozen
from assay.estimators import Reference, share_bounds
from assay.telemetry.drift.distances import Distance, distance_of, psi, psi_by_chance, tests_of
from assay.telemetry.drift.gathering import Gathered
from assay.telemetry.drift.since import find_change
from assay.telemetry.drift.watch import DISTRIBUTION_MATTERS, FEWEST_ROWS, SHARE_MATTERS

ALPHA = 0.01
"""Chance of any alarm in a look at a span in which nothing changed."""
LEAST_PSI = {"categories": SHARE_MATTERS, "numbers": DISTRIBUTION_MATTERS}
"""PSI beyond what chance makes, from which on there is an alarm; the same as while decisions are made."""
FEWEST = 100
"""Decisions without which a statistic is not compared."""
LARGE_PSI, HUGE_PSI = 0.1, 0.25
"""The marks of credit scoring: a change, and another population."""
OF_A_POINT = 200
"""Decisions that a point of a line over time stands for, at least."""

Counts = NDArray[np.int64]


class Share(Frozen):
    """The bins that tell most of a change: their place, their share now with its interval, and then.

    Of categories it is one bin: the positive label of two, a rule rather than the model, else what changed
    most. Of numbers it is all bins on that side of the telling edge that grew.
    """

    first: int
    last: int
    now: float
    low: float
    high: float
    then: float


class Since(Frozen):
    """Since when a statistic is as it is."""

    kind: Literal["whole", "began", "grew", "shrank", "ended"]
    """``whole``: all through the span; ``began``: at ``at``; ``grew``: it was so before, and more so from
    ``at`` on; ``shrank``: the same, and less so; ``ended``: until ``at``."""
    at: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None
    """The range of 95 % in which the moment lies."""
    p: float | None = None


class Point(Frozen):
    """A stretch of time: the statistic's PSI in it, what chance makes of it, and the share that grew most."""

    begin: datetime
    end: datetime
    decisions: int
    psi: float
    chance: float
    share: float
    low: float
    high: float


class Finding(Frozen):
    """One statistic of a span against the profile."""

    name: str
    kind: str
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    then: tuple[int, ...]
    """Reference rows in each bin."""
    counts: tuple[int, ...]
    """Logged decisions in each bin."""
    now: tuple[float, ...]
    """Share of the decisions in each bin, those that were not logged counted by the share that was."""
    decisions: int
    psi: float
    chance: float
    p: float
    """Of this statistic alone."""
    corrected: float
    """By Holm's method over all statistics."""
    alarm: bool
    told: Share | None
    """None where there is too little to compare."""
    since: Since | None
    points: tuple[Point, ...]

    @property
    def least(self) -> float:
        """The PSI beyond chance from which on there is an alarm."""
        return LEAST_PSI[self.kind]


def findings_of(gathered: Gathered, *, positive: str) -> tuple[Finding, ...]:
    """Return what became of each statistic of a profile in a span; ``positive`` is the task's label.

    Tests are of the logged decisions, shares of all that were decided. Raises MissingExtra without scipy.
    """
    distances = [
        distance_of(reference, counts.sum(axis=0))
        for reference, counts in zip(gathered.references, gathered.counts, strict=True)
    ]
    alone = [
        min(1.0, distance.p * tests_of(reference))
        for reference, distance in zip(gathered.references, distances, strict=True)
    ]
    return tuple(
        _finding(gathered, at, distance, (alone[at], corrected), positive)
        for at, (distance, corrected) in enumerate(zip(distances, holm(alone), strict=True))
    )


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


def _finding(
    gathered: Gathered, at: int, distance: Distance, ps: tuple[float, float], positive: str
) -> Finding:
    reference, counts = gathered.references[at], gathered.counts[at]
    weights, then = gathered.weights[at].sum(axis=0), np.array(reference.counts, np.int64)
    comparable = bool(counts.sum() >= FEWEST and then.sum() >= FEWEST_ROWS)
    matters = distance.psi - distance.chance >= LEAST_PSI[reference.kind]
    worth = int(counts.sum() * gathered.effective())
    told = _told(reference, weights, worth, positive) if comparable else None
    alarm = told is not None and ps[1] < ALPHA and matters
    return Finding(
        name=reference.name,
        kind=reference.kind,
        labels=reference.labels,
        edges=reference.edges,
        then=reference.counts,
        counts=tuple(counts.sum(axis=0).tolist()),
        now=tuple((weights / (weights.sum() or 1)).tolist()),
        decisions=int(counts.sum()),
        psi=distance.psi,
        chance=distance.chance,
        p=ps[0],
        corrected=ps[1],
        alarm=alarm,
        told=told,
        since=_since(gathered.edges, counts, reference) if alarm else None,
        points=_points(gathered, at, told) if told else (),
    )


def _told(reference: Reference, weights: NDArray[np.float64], rows: int, positive: str) -> Share:
    """Return the bins that tell most of a change; ``rows`` is what the decisions are worth."""
    then = np.array(reference.counts) / sum(reference.counts)
    gains = weights / weights.sum() - then
    if reference.kind == "categories":
        first = last = _telling(reference, gains, positive)
    else:
        passed = np.cumsum(gains)[:-1]
        edge = int(np.argmax(np.abs(passed))) if len(passed) else 0
        grew_below = bool(len(passed)) and passed[edge] > 0
        first, last = (0, edge) if grew_below else (edge + 1 if len(passed) else 0, len(then) - 1)
    inside = slice(first, last + 1)
    share = float(weights[inside].sum() / weights.sum())
    low, high = bounds(share, rows)
    return Share(first=first, last=last, now=share, low=low, high=high, then=float(then[inside].sum()))


def _telling(reference: Reference, gains: NDArray[np.float64], positive: str) -> int:
    if reference.name in ("above", "near"):
        return 0
    if reference.name == "label" and len(gains) == 2 and positive in reference.labels:
        return reference.labels.index(positive)
    model = reference.name == "decided_by" and len(gains) > 1
    return int(np.argmax(np.abs(gains[1:]))) + 1 if model else int(np.argmax(np.abs(gains)))


def bounds(share: float, rows: float) -> tuple[float, float]:
    """Return the exact interval of a share among so many decisions, of equal weight or worth as much."""
    whole = max(1, round(rows))
    return share_bounds(min(whole, round(share * whole)), whole)


def _since(edges: NDArray[np.float64], counts: Counts, reference: Reference) -> Since:
    then, least = np.array(reference.counts, np.int64), LEAST_PSI[reference.kind]
    change = find_change(counts)
    if change is None or change.p >= ALPHA:
        return Since(kind="whole", p=None if change is None else change.p)
    before, after = counts[: change.at].sum(axis=0), counts[change.at :].sum(axis=0)
    strays = [psi(then, part) - psi_by_chance(then, part) >= least for part in (before, after)]
    nearer = psi(then, after) < psi(then, before)
    kind: Literal["began", "grew", "shrank", "ended"]
    kind = "began" if not strays[0] else "ended" if not strays[1] else "shrank" if nearer else "grew"
    # A change inside a block shows at either of its ends.
    low, high = edges[change.low - 1], edges[min(change.high + 1, len(edges) - 1)]
    return Since(kind=kind, at=_moment(edges[change.at]), low=_moment(low), high=_moment(high), p=change.p)


def _points(gathered: Gathered, at: int, told: Share) -> tuple[Point, ...]:
    then = np.array(gathered.references[at].counts, np.int64)
    found, begin, inside = [], 0, slice(told.first, told.last + 1)
    counts, weights = gathered.counts[at], gathered.weights[at]
    for end in range(1, len(counts) + 1):
        part = counts[begin:end].sum(axis=0)
        rest = int(counts[end:].sum())
        # What is left behind the last point would be too little for one of its own.
        if (part.sum() < OF_A_POINT and end < len(counts)) or 0 < rest < OF_A_POINT:
            continue
        rows, weight = int(part.sum()), weights[begin:end].sum(axis=0)
        if rows:
            share = float(weight[inside].sum() / weight.sum())
            low, high = bounds(share, rows * gathered.effective())
            found.append(
                Point(
                    begin=_moment(gathered.edges[begin]),
                    end=_moment(gathered.edges[end]),
                    decisions=rows,
                    psi=psi(then, part),
                    chance=psi_by_chance(then, part),
                    share=share,
                    low=low,
                    high=high,
                )
            )
        begin = end
    return tuple(found)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
