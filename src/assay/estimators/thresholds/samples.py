"""The held-out rows that an operating point is chosen on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.estimators.linear import Floats
from assay.estimators.thresholds.operating_point import Numbers, OperatingPoint
from assay.exceptions import DataError


class Sample(NamedTuple):
    """Held-out rows of the whole cascade, whichever part of it decides them.

    ``truth`` holds label numbers, shape (rows,); ``probabilities`` the model's, calibrated, shape
    (rows, labels); ``ruled`` the label number that a rule decided, -1 where none did, shape (rows,).
    """

    truth: Numbers
    probabilities: Floats
    ruled: Numbers

    def decided(self, point: OperatingPoint, labels: Sequence[str], positive: str) -> Numbers:
        """Return the number of the label that each row is given, by a rule or at a point's thresholds."""
        columns = point.columns_of(self.probabilities, labels, positive)
        return np.where(self.ruled < 0, columns, self.ruled)


def check_sample(sample: Sample, labels: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise DataError for a sample on which no threshold can be chosen.

    ``wanted`` are the labels that must have rows, beside any other one.
    """
    rows, shape = len(sample.truth), (len(sample.truth), len(labels))
    if not rows:
        raise DataError("There is no held-out row to choose a threshold on: bring more labelled rows.")
    if sample.probabilities.shape != shape or sample.ruled.shape != (rows,):
        raise DataError(
            f"A sample of {rows} rows and {len(labels)} labels has probabilities of the shape "
            f"{sample.probabilities.shape} and rules' labels of the shape {sample.ruled.shape}."
        )
    _check_numbers(sample, len(labels))
    _check_scores(sample.probabilities)
    present = {labels[number] for number in np.unique(sample.truth).tolist()}
    absent = [label for label in wanted if label not in present]
    if absent or len(present) < 2:
        what = (
            f"no row holds {absent[0]!r}" if absent else f"every row holds {labels[int(sample.truth[0])]!r}"
        )
        raise DataError(
            f"No threshold can be chosen on {rows} held-out rows of which {what}: "
            "errors of both kinds must be possible. Bring labelled rows of every label.",
            labels=absent,
        )


def _check_numbers(sample: Sample, labels: int) -> None:
    for name, numbers, least in (("truth", sample.truth, 0), ("ruled", sample.ruled, -1)):
        strange = np.flatnonzero((numbers < least) | (numbers >= labels))
        if len(strange):
            row = int(strange[0])
            raise DataError(
                f"Row {row} of the sample has {numbers[row]} for {name}; it may be {least} to {labels - 1}.",
                row=row,
            )


def _check_scores(probabilities: Floats) -> None:
    fine = (probabilities >= 0) & (probabilities <= 1)
    strange = np.flatnonzero(~fine.all(axis=1))
    if len(strange):
        row = int(strange[0])
        raise DataError(
            f"The held-out scores of row {row} are {probabilities[row].tolist()}; a threshold is chosen "
            "on finite probabilities from 0 to 1. Check the model's features and its calibration.",
            row=row,
        )
