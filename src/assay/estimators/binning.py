"""Which bin of a statistic a decision falls into: the one definition, for reference rows and live traffic."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.estimators.profile import Observed, Reference

Bins = NDArray[np.intp]

NEAR = ("near", "elsewhere")
ABOVE = ("at or above", "below")
MODEL = "model"
"""The first bin of ``decided_by``; the others are the deciding rules, in their order."""


def bins_of(reference: Reference, observed: Sequence[Observed]) -> Bins:
    """Return the bin that each decision falls into, shape (decisions,); -1 where it has no value.

    A decision has none where the statistic does not speak of it (a score where a rule decided), and where its
    label or rule is none of the version's.

    >>> from assay.estimators import Observation, Reference
    >>> lengths = Reference(name="characters", kind="numbers", edges=(10, 100), counts=(5, 80, 15))
    >>> bins_of(lengths, [Observation("ham", 0.1, 0.9, 0.5, None, size, 0.0) for size in (9, 10, 500)])
    array([0, 1, 2])
    """
    return _FINDERS[reference.name](reference, observed)


def counts_of(reference: Reference, observed: Sequence[Observed]) -> NDArray[np.int64]:
    """Return how many decisions fall into each bin, shape (bins,)."""
    found = bins_of(reference, observed)
    return np.bincount(found[found >= 0], minlength=len(reference.counts))


def numbers_of(name: str, observed: Sequence[Observed]) -> NDArray[np.float64]:
    """Return the values of a statistic of numbers, shape (decisions,); NaN where there is none."""
    return np.array([getattr(each, name) for each in observed], np.float64)


def _numbers(reference: Reference, observed: Sequence[Observed]) -> Bins:
    values = numbers_of(reference.name, observed)
    found: Bins = np.searchsorted(np.array(reference.edges, np.float64), values, side="right")
    found[np.isnan(values)] = -1
    return found


def _labels(reference: Reference, observed: Sequence[Observed]) -> Bins:
    places = {label: at for at, label in enumerate(reference.labels)}
    return np.array([places.get(each.label, -1) for each in observed], np.intp)


def _deciders(reference: Reference, observed: Sequence[Observed]) -> Bins:
    # By place and not by name, so that a rule may be called like the bin of the model.
    places: dict[str | None, int] = {rule: at for at, rule in enumerate(reference.labels[1:], start=1)}
    places[None] = 0
    return np.array([places.get(each.rule, -1) for each in observed], np.intp)


def _above(_: Reference, observed: Sequence[Observed]) -> Bins:
    scores, thresholds = numbers_of("score", observed), numbers_of("threshold", observed)
    return _either(scores >= thresholds, scores + thresholds)


def _near(reference: Reference, observed: Sequence[Observed]) -> Bins:
    scores = numbers_of("score", observed)
    low, high = reference.band or (0.0, 0.0)
    return _either((scores >= low) & (scores <= high), scores)


def _either(first: NDArray[np.bool_], values: NDArray[np.float64]) -> Bins:
    found = np.where(first, 0, 1).astype(np.intp)
    found[np.isnan(values)] = -1
    return found


_FINDERS: Mapping[str, Callable[[Reference, Sequence[Observed]], Bins]] = {
    "label": _labels,
    "decided_by": _deciders,
    "above": _above,
    "near": _near,
    **dict.fromkeys(("score", "confidence", "characters", "unknown"), _numbers),
}
