"""Decisions that show a change."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from assay.frozen import Frozen
from assay.telemetry.drift.findings import Finding
from assay.telemetry.drift.gathering import Kept

SHOWN = 3
"""Decisions that show a change."""
EXCERPT = 80
"""Characters of a text that are shown."""
HALF = 0.5
"""Added to every bin, as for the PSI, so that an empty one can be compared."""


class Example(Frozen):
    """A decision that shows a change; ``excerpt`` is None where the log has no text of it."""

    id: str
    at: datetime
    label: str
    score: float | None
    excerpt: str | None


def examples_of(findings: Sequence[Finding], kept: Iterable[Kept]) -> dict[str, tuple[Example, ...]]:
    """Return for each alarm the decisions that are most typical of the change, each text once.

    Typical is what fell into bins that grew, of this statistic above all and then of all in alarm: the sum of
    ``ln(share now / share then)`` over their bins. Decisions before a change began come last.
    """
    alarms = [(at, each) for at, each in enumerate(findings) if each.alarm]
    growth = {at: _growth(each) for at, each in alarms}
    decisions = list(kept)
    found = {}
    for at, finding in alarms:
        order = sorted(
            (each for each in decisions if growth[at].get(each.bins[at], 0.0) > 0),
            key=lambda each: (
                not _inside(finding, each.record.at),
                -sum(part.get(each.bins[other], 0.0) for other, part in growth.items()),
                -each.record.at,
            ),
        )
        texts = {each.record.text_hash or each.record.id: each for each in reversed(order)}
        chosen = [each for each in order if texts[each.record.text_hash or each.record.id] is each]
        found[finding.name] = tuple(_example(each) for each in chosen[:SHOWN])
    return found


def excerpt_of(text: str, most: int = EXCERPT) -> str:
    """Return the beginning of a text on one line, without characters that a terminal would act on."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…"


def _growth(finding: Finding) -> dict[int, float]:
    rows, decisions, bins = sum(finding.then), finding.decisions, len(finding.then)
    then = [(count + HALF) / (rows + HALF * bins) for count in finding.then]
    now = [(share * decisions + HALF) / (decisions + HALF * bins) for share in finding.now]
    return {at: math.log(now[at] / then[at]) for at in range(bins)}


def _inside(finding: Finding, at: float) -> bool:
    since = finding.since
    if since is None or since.at is None:
        return True
    return at < since.at.timestamp() if since.kind in ("ended", "shrank") else at >= since.at.timestamp()


def _example(kept: Kept) -> Example:
    record = kept.record
    return Example(
        id=record.id,
        at=datetime.fromtimestamp(record.at, UTC),
        label=record.label,
        score=record.score,
        excerpt=None if record.text is None else excerpt_of(record.text),
    )
