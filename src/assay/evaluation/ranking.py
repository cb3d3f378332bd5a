"""Rows in falling order of score, one label against the rest: what the areas and curves are made of."""

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.metrics import Floats


class Ranking:
    """Rows sorted once by the score of one label; equal scores fall together.

    Parameters
    ----------
    member : bool array, shape (rows,); which rows truly have the label
    scores : float array, shape (rows,); the probability given to the label
    """

    def __init__(self, member: NDArray[np.bool_], scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ranked = scores[self._order]
        self._member = member[self._order].astype(np.float64)
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))[: len(scores)]

    def counts(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Return true and false positives when the cut falls below each distinct score.

        Parameters
        ----------
        weights : float array, shape (resamples, rows); each row counts once when left out

        Returns
        -------
        two arrays, shape (resamples, distinct scores)
        """
        rows = len(self._order)
        taken = np.ones((1, rows)) if weights is None else np.take(weights, self._order, axis=1)
        found = np.cumsum(taken * self._member, axis=1)
        passed = np.cumsum(taken, axis=1, out=taken)
        if len(self._ends) < rows:
            found, passed = found[:, self._ends], passed[:, self._ends]
        return found, passed - found

    def areas(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the areas under the ROC and the precision-recall curve; each of shape (resamples,).

        The second is average precision, the sum of precision times the step in recall: no interpolation,
        which would flatter (Davis and Goadrich 2006). Both are NaN unless there are rows of the label and
        rows of the rest.
        """
        found, false = self.counts(weights)
        if not found.shape[1]:
            return np.full(len(found), np.nan), np.full(len(found), np.nan)
        members, others = found[:, -1].copy(), false[:, -1].copy()
        steps = np.diff(found, prepend=0.0, axis=1)
        # A pair is wrong when the other row ranks above the member; a tie counts one half, from either side.
        wrong = np.einsum("rg,rg->r", steps, false)
        wrong -= np.einsum("rg,rg->r", steps, np.diff(false, prepend=0.0, axis=1)) / 2
        # Where a resample has passed no row yet, the step is 0 and the precision does not matter.
        precision = np.divide(found, np.maximum(np.add(found, false, out=false), 1.0, out=false), out=false)
        hits = np.einsum("rg,rg->r", steps, precision)
        with np.errstate(invalid="ignore", divide="ignore"):
            roc_auc, average_precision = 1 - wrong / (members * others), hits / members
        both = (members > 0) & (others > 0)
        return np.where(both, roc_auc, np.nan), np.where(both, average_precision, np.nan)
