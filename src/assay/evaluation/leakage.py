"""Leakage: held-out rows that the model has seen, or nearly so."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assay.evaluation.intervals import NO_ROWS, Interval
from assay.evaluation.metrics import confusion_cells
from assay.evaluation.rowwise import Rowwise
from assay.evaluation.slices import RESEMBLES, rng_of, worth_of
from assay.frozen import Frozen

Mask = NDArray[np.bool_]
NONE_APART = "every row was seen in training or resembles a training row"


class Leakage(Frozen):
    """How many held-out rows the model was trained on, and how many resemble a training row."""

    rows: int = Field(ge=0)
    seen: int | None = Field(None, ge=0)
    """Rows whose exact text the model was trained on; None where the artifact does not say (imported)."""
    near: int | None = Field(None, ge=0)
    """Rows that nearly repeat a training row of the data as it is now; None where it was not given."""
    accuracy_apart: Interval | None = None
    f1_apart: Interval | None = None
    """Accuracy and F1 on the rows that neither were seen nor resemble a training row."""

    def lines(self) -> Iterator[str]:
        """Yield what was found, a line each."""
        if self.seen is None:
            yield "Whether the model was trained on held-out rows is not known: its artifact does not say"
        else:
            yield f"Held-out rows that the model was trained on: {self._share(self.seen)}"
        if self.near is not None:
            yield f"Held-out rows that nearly repeat a training row: {self._share(self.near)}"
        if (self.seen or self.near) and self.accuracy_apart and self.f1_apart:
            yield f"Without these: accuracy {self.accuracy_apart}, F1 {self.f1_apart}"

    def _share(self, part: int) -> str:
        return f"{part:,} of {self.rows:,}" + (f" ({part / self.rows:.2%})" if part else "")


def leakage_of(
    rowwise: Rowwise,
    *,
    order: Sequence[int],
    seen: Mask | None,
    near: Mask | None,
    labels: int,
    positive: int | None,
    resamples: int,
    seed: int,
) -> Leakage:
    """Return how many rows the model has seen or nearly seen, and what its decisions on the others are worth.

    Parameters
    ----------
    rowwise : the rows with their truth and decisions, in ``order``
    order : the places of the rows, of ``Rows.order``
    seen, near : which rows the model was trained on, and which nearly repeat a training row, in the order of
        the rows as they were given, not in ``order``; shape (rows,); None where that is not known
    labels, positive, resamples, seed : as for ``slices_of``
    """
    places = np.asarray(order, dtype=np.int64)
    known = [mask[places] for mask in (seen, near) if mask is not None]
    apart = ~np.logical_or.reduce([np.zeros(rowwise.rows, np.bool_), *known])
    cells = confusion_cells(rowwise.true_labels[apart], rowwise.decided_labels[apart], labels)
    reason = NONE_APART if rowwise.rows else NO_ROWS
    # Where no row was seen these are the rows of a slice, and their figures the same.
    rng = rng_of(RESEMBLES, "no", seed=seed)
    accuracy, f1 = worth_of(cells, positive=positive, resamples=resamples, rng=rng, reason=reason)
    return Leakage(
        rows=rowwise.rows,
        seen=None if seen is None else int(seen.sum()),
        near=None if near is None else int(near.sum()),
        accuracy_apart=accuracy if known else None,
        f1_apart=f1 if known else None,
    )
