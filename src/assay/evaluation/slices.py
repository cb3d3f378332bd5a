"""Slices: how a version does on parts of the held-out rows, by length, source, what decided, any column."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assay.evaluation import metrics
from assay.evaluation.bootstrap import interval_of, resample_cells
from assay.evaluation.intervals import NO_ROWS, Interval, exact_interval
from assay.evaluation.metrics import Counts, Floats
from assay.evaluation.rowwise import Grouping, Rowwise, pack
from assay.frozen import Frozen

if TYPE_CHECKING:
    from assay.datasets import Rows

LENGTH, RESEMBLES, DECIDED_BY = "length", "resembles training", "decided by"
VALUES = 20
"""Values of a column that are slices of their own: the most frequent ones."""
OTHER = "(other)"
NO_POSITIVE = "no row has the positive label and none was given it"


class Slice(Frozen):
    """The rows that share a value of one column, and what the decisions on them are worth."""

    by: str
    value: str
    rows: int = Field(ge=0)
    positives: int | None = Field(None, ge=0)
    """Rows that truly have the positive label; None with more than two labels."""
    accuracy: Interval
    f1: Interval
    """F1 of the positive label; with more than two labels, the mean over those that the rows have."""


def groups_of(
    rows: "Rows", *, near: NDArray[np.bool_] | None, ruled: NDArray[np.bool_]
) -> dict[str, Grouping]:
    """Return which slices each row belongs to, by the name of what they are sliced by, in ``rows.order``.

    ``length`` has the quartiles of these rows, a column its 20 most frequent values and ``(other)``. A column
    with the name of a slice of ours is called by that name and ``(column)``.

    Parameters
    ----------
    rows : the held-out rows
    near : which of them nearly repeat a training row, in the order of ``rows``, shape (rows,); None where
        that is not known
    ruled : which of them a rule decided, in the order of ``rows``, shape (rows,)
    """
    order = np.asarray(rows.order, dtype=np.int64)
    groups = {LENGTH: _by_length([len(rows.texts[at]) for at in order])}
    for name, values in rows.columns.items():
        known = name in (LENGTH, RESEMBLES, DECIDED_BY)
        groups[f"{name} (column)" if known else name] = _by_value([values[at] for at in order])
    if near is not None:
        groups[RESEMBLES] = _by_mask(near[order], "yes", "no")
    if ruled.any():
        groups[DECIDED_BY] = _by_mask(ruled[order], "rule", "model", comparable=False)
    return groups


def slices_of(
    rowwise: Rowwise, *, labels: int, positive: int | None, resamples: int, seed: int
) -> tuple[Slice, ...]:
    """Return what the decisions on each slice of the rows are worth; a value without rows is no slice.

    Accuracy has its exact interval (Clopper and Pearson, Biometrika, 1934), F1 the percentile bootstrap of
    the slice's own rows. A slice's interval does not depend on which other slices there are.

    Parameters
    ----------
    rowwise : the rows with their truth, decisions and groups
    labels : how many labels there are
    positive : number of the label whose F1 is meant; None for the mean over the labels
    resamples, seed : of the bootstrap; the same seed gives the same intervals
    """
    truth, decided = rowwise.true_labels, rowwise.decided_labels
    codes, found = truth * labels + decided, []
    for by, grouping in rowwise.groups.items():
        numbers = grouping.numbers() * labels**2 + codes
        cells = np.bincount(numbers, minlength=len(grouping.values) * labels**2)
        for value, counts in zip(grouping.values, cells.reshape(-1, labels, labels), strict=True):
            if counts.any():
                rng = rng_of(by, value, seed=seed)
                worth = worth_of(counts, positive=positive, resamples=resamples, rng=rng)
                found.append(_slice(by, value, counts, positive, worth))
    return tuple(found)


def rng_of(by: str, value: str, *, seed: int) -> np.random.Generator:
    """Return the source of a slice's resamples, which no other slice shares."""
    return np.random.default_rng([seed, zlib.crc32(f"{by}\0{value}".encode())])


def worth_of(
    cells: Counts, *, positive: int | None, resamples: int, rng: np.random.Generator, reason: str = NO_ROWS
) -> tuple[Interval, Interval]:
    """Return accuracy and F1 of a confusion matrix with their intervals.

    ``positive`` is as for ``slices_of``; ``reason`` says why there may be no rows.
    """
    rows, right = int(cells.sum()), int(np.diagonal(cells).sum())
    f1 = interval_of(
        _f1(cells, positive),
        _f1(resample_cells(cells, resamples, rng), positive),
        NO_POSITIVE if rows else reason,
    )
    return exact_interval(right, rows, reason=reason), f1


def _slice(
    by: str, value: str, cells: Counts, positive: int | None, worth: tuple[Interval, Interval]
) -> Slice:
    positives = None if positive is None else int(cells[positive].sum())
    return Slice(
        by=by, value=value, rows=int(cells.sum()), positives=positives, accuracy=worth[0], f1=worth[1]
    )


def _f1(cells: Counts, positive: int | None) -> Floats:
    each = metrics.f1(cells)
    return metrics.macro(each) if positive is None else each[..., positive]


def _by_mask(mask: NDArray[np.bool_], yes: str, no: str, *, comparable: bool = True) -> Grouping:
    return Grouping(values=(yes, no), rows=pack(1 - mask.astype(np.int64)), comparable=comparable)


def _by_value(values: Sequence[str]) -> Grouping:
    # Equally frequent values in the order of the alphabet: the rows' order must not choose among them.
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    own = [value for value, _ in ranked[:VALUES]]
    number = {value: at for at, value in enumerate(own)}
    names = (*own, OTHER) if len(ranked) > VALUES else tuple(own)
    return Grouping(
        values=names, rows=pack(np.array([number.get(value, VALUES) for value in values], np.int64))
    )


def _by_length(lengths: Sequence[int]) -> Grouping:
    sizes = np.array(lengths, dtype=np.int64)
    if not sizes.size:
        return Grouping(values=(), rows=pack(sizes))
    quartiles = np.quantile(sizes, (0.25, 0.5, 0.75), method="inverted_cdf")
    edges = [int(edge) for edge in np.unique(quartiles) if edge < sizes.max()]
    return Grouping(
        values=tuple(_length_names(edges, int(sizes.max()))), rows=pack(np.searchsorted(edges, sizes))
    )


def _length_names(edges: Sequence[int], longest: int) -> Iterator[str]:
    """Yield the name of each range of lengths, given the last length of all but the last range."""
    if not edges:
        yield f"up to {_characters(longest)}"
        return
    yield f"up to {_characters(edges[0])}"
    for before, last in pairwise(edges):
        first = before + 1
        yield f"{first:,} to {_characters(last)}" if first < last else _characters(last)
    yield f"over {_characters(edges[-1])}"


def _characters(count: int) -> str:
    return f"{count:,} character{'' if count == 1 else 's'}"
