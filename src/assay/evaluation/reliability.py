"""Are the probabilities true? Brier score, expected calibration error, and the bins of a diagram."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assay.estimators import draw_bounds
from assay.evaluation.bootstrap import interval_of, resample_weights
from assay.evaluation.intervals import NO_ROWS, Interval, exact_interval
from assay.evaluation.metrics import Counts, Floats
from assay.frozen import Frozen

MOST_BINS = 15
ROWS_A_BIN = 20
"""Fewer rows a bin say little, so few rows make fewer bins."""
CHANCE_DRAWS = 200


class Bin(Frozen):
    """Rows of neighbouring probabilities, and the share of them in which the event came true."""

    count: int = Field(ge=1)
    probability: float = Field(ge=0, le=1)
    """The mean; ``lowest`` and ``highest`` are the ends."""
    lowest: float = Field(ge=0, le=1)
    highest: float = Field(ge=0, le=1)
    observed: Interval
    """With its exact interval."""


class Reliability(Frozen):
    """How far probabilities can be taken at their word, on the rows that the model decided.

    With two labels the event is that a row has the positive label; with more, that the most probable label
    is right. A model whose probabilities are true shows an ECE above 0 too, by chance: ``ece_by_chance`` is
    what it would show on average (Bröcker and Smith 2007 draw the same comparison bin by bin).
    """

    event: str
    """What the probability is of, as the axis of a plot says it."""
    method: str
    """How the probabilities were calibrated: none, sigmoid or isotonic."""
    rows: int = Field(ge=0)
    brier: Interval
    ece: Interval
    ece_by_chance: float | None = None
    bins: tuple[Bin, ...]

    def lines(self) -> Iterator[str]:
        """Yield both scores for people, a line each."""
        chance = "" if self.ece_by_chance is None else f"; {self.ece_by_chance:.4f} by chance alone"
        yield f"{'brier':10} {self.brier}"
        yield f"{'ece':10} {self.ece}{chance}"


def reliability_of(
    truth: Counts,
    probabilities: Floats,
    *,
    positive: int | None,
    event: str,
    method: str,
    resamples: int,
    seed: int,
    reason: str = NO_ROWS,
) -> Reliability:
    """Return how well probabilities are calibrated on rows with known labels.

    The Brier score (Brier 1950) is the mean squared distance between probability and truth: of the event
    with two labels (0 to 1), summed over all labels with more (0 to 2).

    The expected calibration error is the mean over bins, weighted by their rows, of the distance between
    mean probability and observed share (Naeini and others 2015; of the most probable label: Guo and others
    2017). Bins hold about equally many rows (equal mass: Nixon and others 2019), 15 of them or one for every
    20 rows; rows with equal probabilities share a bin, so that no order of theirs can matter.

    The intervals come from the bootstrap, with the bins kept: percentiles for the Brier score. The ECE of a
    resample is too high, since the resample's noise adds to the distances as the sample's did; so its
    interval is the basic one, reflected at the value (Davison and Hinkley 1997, section 5.2; used for
    calibration errors by Kumar and others 2019), not below 0 and widened where the value would lie outside.

    Parameters
    ----------
    truth : label numbers, shape (rows,)
    probabilities : shape (rows, labels)
    positive : number of the positive label with two labels; None with more
    event, method : kept in the result
    resamples, seed : of the bootstrap
    reason : why everything is undefined when there are no rows
    """
    if not len(truth):
        nothing = Interval(value=None, reason=reason)
        return Reliability(event=event, method=method, rows=0, brier=nothing, ece=nothing, bins=())
    right = np.eye(probabilities.shape[1])[truth]
    if positive is None:
        top, rows = probabilities.argmax(axis=1), np.arange(len(truth))
        stated, happened = probabilities[rows, top], right[rows, top]
        squares = ((probabilities - right) ** 2).sum(axis=1)
    else:
        stated, happened = probabilities[:, positive], right[:, positive]
        squares = (stated - happened) ** 2
    order = np.lexsort((squares, happened, stated))
    stated, happened, squares = stated[order], happened[order], squares[order]
    starts = bin_starts(stated)
    brier, ece = _draws(stated - happened, squares, starts, resamples, np.random.default_rng([seed, 2]))
    value = float(_error(stated - happened, starts)) / len(truth)
    return Reliability(
        event=event,
        method=method,
        rows=len(truth),
        brier=interval_of(squares.mean(), brier, reason),
        ece=reflected(value, ece),
        ece_by_chance=_by_chance(stated, starts, np.random.default_rng([seed, 3])),
        bins=tuple(_bins(stated, happened, starts)),
    )


def bin_starts(stated: Floats) -> NDArray[np.int64]:
    """Return the first row of each bin of rising probabilities; equal ones stay together."""
    bins = min(max(len(stated) // ROWS_A_BIN, 1), MOST_BINS)
    cuts = np.arange(bins) * len(stated) // bins
    starts: NDArray[np.int64] = np.unique(np.searchsorted(stated, stated[cuts], side="left"))
    return starts


def _error(gaps: Floats, starts: NDArray[np.int64]) -> Floats:
    """Return the sum over bins of the distance between stated and observed, in rows; shape (...)."""
    error: Floats = np.abs(np.add.reduceat(gaps, starts, axis=-1)).sum(axis=-1)
    return error


def _draws(
    gaps: Floats, squares: Floats, starts: NDArray[np.int64], resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    brier, ece = np.empty((2, 0))
    for weights in resample_weights(len(gaps), resamples, rng):
        brier = np.append(brier, weights @ squares / len(gaps))
        ece = np.append(ece, _error(weights * gaps, starts) / len(gaps))
    return brier, ece


def reflected(value: float, draws: Floats) -> Interval:
    """Return the basic bootstrap interval of a distance: the draws' bounds, mirrored at the value."""
    low, high = draw_bounds(draws) or (value, value)
    return Interval(value=value, low=min(max(2 * value - high, 0.0), value), high=max(2 * value - low, value))


def _by_chance(stated: Floats, starts: NDArray[np.int64], rng: np.random.Generator) -> float:
    errors = [_error(stated - (rng.random(len(stated)) < stated), starts) for _ in range(CHANCE_DRAWS)]
    return float(np.mean(errors)) / len(stated)


def _bins(stated: Floats, happened: Floats, starts: NDArray[np.int64]) -> Iterator[Bin]:
    for start, end in pairwise([*starts.tolist(), len(stated)]):
        held, hits = stated[start:end], int(happened[start:end].sum())
        yield Bin(
            count=end - start,
            # Rounding of the mean must not carry it past the ends.
            probability=float(np.clip(held.mean(), held[0], held[-1])),
            lowest=float(held[0]),
            highest=float(held[-1]),
            observed=exact_interval(hits, end - start, reason="no row"),
        )
