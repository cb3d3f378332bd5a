"""Where one label's probability is enough, and which decisions a person should look at."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from assay.estimators.calibration import Calibration
from assay.estimators.linear import Floats
from assay.estimators.shares import share_bounds
from assay.frozen import Frozen

Share = Annotated[float, Field(ge=0, le=1)]
Numbers = NDArray[np.int64]
"""Label numbers."""


class RuleMeasure(Frozen):
    """What a deciding rule was worth on the training rows.

    ``low`` is the lower end of the exact 95 % interval of its precision ``right / hits`` (Clopper and
    Pearson, Biometrika, 1934); 0 without hits.
    """

    hits: int = Field(ge=0)
    right: int = Field(ge=0)
    low: Share

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.right > self.hits or self.low * self.hits > self.right:
            raise ValueError(f"{self.right} right of {self.hits} hits cannot have the lower bound {self.low}")
        return self

    @classmethod
    def of(cls, hits: int, right: int) -> Self:
        """Return the measure of a rule that hit so many rows and was right on some of them.

        Raises MissingExtra without scipy.
        """
        return cls(hits=hits, right=right, low=share_bounds(right, hits)[0])


class OperatingPoint(Frozen):
    """The threshold or thresholds that are served, and the goal that they were chosen for.

    The label given is the one whose probability is the largest multiple of its threshold. With two labels
    that is the positive one from ``threshold`` on. With more, ``threshold`` is None and ``thresholds``
    holds each label's (they sum to 1); without them the most likely label is given.
    """

    threshold: Share | None
    goal: str
    thresholds: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    review: tuple[Share, Share] | None = None
    """Scores from and to which a decision is marked for review."""
    calibration: Calibration = Calibration()
    rules: dict[str, RuleMeasure] = Field(default_factory=dict)
    """Each deciding rule's worth, by its id."""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.thresholds and (self.threshold is not None or len(self.thresholds) < 3):
            raise ValueError("a threshold a label is for more than two labels, which have no single one")
        if self.thresholds and abs(sum(self.thresholds.values()) - 1) > 1e-9:
            raise ValueError(f"the labels' thresholds must sum to 1; they are {self.thresholds}")
        if self.review and self.review[0] >= self.review[1]:
            raise ValueError(f"the review band must rise; it is {list(self.review)}")
        return self

    def fits(self, labels: Sequence[str]) -> bool:
        """Return whether the thresholds and the calibration are those of these labels."""
        binary = len(labels) == 2
        named = not self.thresholds or set(self.thresholds) == set(labels)
        return (self.threshold is None) != binary and named and self.calibration.fits(len(labels))

    def labels_of(self, probabilities: Floats, labels: Sequence[str], positive: str) -> list[str]:
        """Return the label given to each row of probabilities, shape (texts, labels)."""
        return [labels[column] for column in self.columns_of(probabilities, labels, positive).tolist()]

    def columns_of(self, probabilities: Floats, labels: Sequence[str], positive: str) -> Numbers:
        """Return the number of the label given to each row of probabilities, shape (texts, labels)."""
        if self.threshold is not None:
            at = labels.index(positive)
            return np.where(probabilities[:, at] >= self.threshold, at, 1 - at)
        return largest_multiples(probabilities, self.weights(labels))

    def in_review(
        self, probabilities: Floats, chosen: Numbers | int, ruled: Numbers | None = None
    ) -> NDArray[np.bool_]:
        """Return which rows of probabilities, shape (texts, labels), fall into the review band.

        ``chosen`` is the column that the band speaks of, one for all rows or one a row: the positive
        label's with two labels, that of the label given with more. Rows that a rule decided (``ruled``
        holds its number, -1 where none did) are never reviewed.
        """
        if self.review is None:
            return np.zeros(len(probabilities), dtype=bool)
        low, high = self.review
        scores = probabilities[np.arange(len(probabilities)), chosen]
        within: NDArray[np.bool_] = (scores >= low) & (scores <= high)
        return within if ruled is None else within & (ruled < 0)

    def weights(self, labels: Sequence[str]) -> Floats:
        """Return each label's threshold up to a common factor; equal without ``thresholds``."""
        return np.array([self.thresholds.get(label, 1.0) for label in labels])

    def threshold_of(self, label: str, labels: Sequence[str]) -> float:
        """Return from where on a label is given: of the positive one's probability with two labels.

        With more, of the label's margin, which is its probability's share of itself and the runner-up's.
        """
        if self.threshold is not None:
            return self.threshold
        weights = self.weights(labels)
        own, others = weights[labels.index(label)], np.delete(weights, labels.index(label))
        return float(own / (own + others.mean()))

    def moved(self, threshold: float, label: str, labels: Sequence[str]) -> Self:
        """Return the same point with one label's threshold moved, as ``threshold_of`` counts it.

        With more than two labels it lies strictly between 0 and 1, and the others' keep their proportions.
        """
        if self.threshold is not None:
            return self.model_validate(dict(self) | {"threshold": threshold})
        weights = moved_weights(self.weights(labels), labels.index(label), threshold)
        return self.model_validate(
            dict(self) | {"thresholds": dict(zip(labels, weights.tolist(), strict=True))}
        )


def largest_multiples(probabilities: Floats, weights: Floats) -> Numbers:
    """Return the column in which each row is the largest multiple of the weights; of equals, the first."""
    # Equal weights are left out: dividing by them could round two different probabilities to one.
    weighed = probabilities if (weights == weights[0]).all() else probabilities / weights
    columns: Numbers = weighed.argmax(axis=1)
    return columns


def moved_weights(weights: Floats, label: int, threshold: float) -> Floats:
    """Return weights of sum 1 by which a label is given from ``threshold`` on of its margin.

    The others keep their proportions. A margin is p / (p + r), with r the highest of the other labels'
    probabilities, each divided by its weight over their mean weight; with two labels it is p itself.
    """
    others = np.delete(weights, label)
    moved = weights / others.mean() * (1 - threshold)
    moved[label] = threshold
    scaled: Floats = moved / moved.sum()
    return scaled
