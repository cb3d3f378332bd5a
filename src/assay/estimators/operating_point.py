"""The threshold from which the positive label is given."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assay.config import Frozen, ThresholdConfig


class OperatingPoint(Frozen):
    """The threshold that is served, and the goal that it was chosen for.

    ``threshold`` is None with more than two labels: the most likely label is given.
    """

    threshold: float | None = Field(ge=0, le=1)
    goal: str

    def labels_of(
        self, probabilities: NDArray[np.float64], labels: Sequence[str], positive: str
    ) -> list[str]:
        """Return the label given to each row of probabilities, shape (texts, labels)."""
        if self.threshold is None:
            return [labels[column] for column in probabilities.argmax(axis=1)]
        at = labels.index(positive)
        negative = labels[1 - at]
        return [positive if p >= self.threshold else negative for p in probabilities[:, at].tolist()]


def choose_operating_point(config: ThresholdConfig, *, binary: bool) -> OperatingPoint:
    """Return the operating point of a threshold goal."""
    threshold = config.value if binary else None
    return OperatingPoint(threshold=threshold, goal=config.goal)
