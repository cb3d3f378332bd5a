"""What changed in one statistic, in words that a person can act on."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from assay.estimators import Reference
from assay.telemetry.drift.distances import HALF_A_ROW, Counts, psi

NUMBERS = {
    "score": ("have a score", ""),
    "confidence": ("have a confidence", ""),
    "characters": ("have a text", " characters"),
    "unknown": ("have a share of unknown words", ""),
}
"""What decisions have, and what it is counted in."""


def sentence(reference: Reference, counts: Sequence[int] | Counts) -> str:
    """Return what changed most between the reference and the counts of a window, shape (bins,).

    Raises ValueError without decisions to speak of.

    >>> lengths = Reference(name="characters", kind="numbers", edges=(200,), counts=(10, 990))
    >>> sentence(lengths, [120, 880])
    '12 % of the last 1,000 decisions have a text of under 200 characters, 1 % when it was trained (PSI 0.28)'
    """
    before, after = np.array(reference.counts, np.int64), np.asarray(counts, np.int64)
    rows = int(after.sum())
    if not rows or not before.sum():
        raise ValueError(f"there is nothing to compare: {before.sum()} reference rows, {rows} decisions")
    told, was, now = _WORDINGS[reference.name](reference, before, after)
    return (
        f"{percent(now)} of the last {rows:,} decisions {told}, {percent(was)} when it was trained "
        f"(PSI {psi(before, after):.2f})"
    )


def percent(share: float) -> str:
    """Return a share in per cent, with as many digits as tell it from nothing and from all."""
    digits = 0 if 0.0095 <= share <= 0.9905 or share in (0, 1) else 2
    return f"{share:.{digits}%}".replace("%", " %")


Told = tuple[str, float, float]


def _first_bin(words: str) -> Callable[[Reference, Counts, Counts], Told]:
    def tell(_: Reference, before: Counts, after: Counts) -> Told:
        return words, before[0] / before.sum(), after[0] / after.sum()

    return tell


def _label(reference: Reference, before: Counts, after: Counts) -> Told:
    at = _moved_most(before, after)
    words = f"are given the label {reference.labels[at]!r}"
    return words, before[at] / before.sum(), after[at] / after.sum()


def _decider(reference: Reference, before: Counts, after: Counts) -> Told:
    at = _moved_most(before, after)
    words = f"are made by the rule {reference.labels[at]!r}" if at else "are made by the model"
    return words, before[at] / before.sum(), after[at] / after.sum()


def _numbers(reference: Reference, before: Counts, after: Counts) -> Told:
    """Cut where the two distribution functions are farthest apart, and tell the side that grew."""
    was, now = (np.cumsum(each)[:-1] / each.sum() for each in (before, after))
    at = int(np.abs(now - was).argmax())
    what, unit = NUMBERS[reference.name]
    edge = f"{reference.edges[at]:,.0f}" if unit else f"{reference.edges[at]:.3g}"
    if now[at] >= was[at]:
        return f"{what} under {edge}{unit}".replace("text under", "text of under"), was[at], now[at]
    words = f"{what} of {edge}{unit} or more"
    return words, 1 - was[at], 1 - now[at]


def _moved_most(before: Counts, after: Counts) -> int:
    """Return the bin that adds most to the PSI."""
    p, q = ((each + HALF_A_ROW) / (each + HALF_A_ROW).sum() for each in (before, after))
    return int(((q - p) * np.log(q / p)).argmax())


_WORDINGS: Mapping[str, Callable[[Reference, Counts, Counts], Told]] = {
    "label": _label,
    "decided_by": _decider,
    "above": _first_bin("have a score at or above the threshold"),
    "near": _first_bin("have a score near the threshold"),
    **dict.fromkeys(NUMBERS, _numbers),
}
