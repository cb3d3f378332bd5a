"""Rising curves from log-odds to probabilities, fitted with scikit-learn and served without.

The sigmoid is that of Platt (1999), "Probabilistic Outputs for Support Vector Machines", section 2.2,
with its smoothed targets; the step curve is isotonic regression after Zadrozny and Elkan (KDD 2002).
"""

from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from assay.estimators.linear import Floats, sigmoid, squash
from assay.exceptions import DataError, MissingExtra
from assay.frozen import Frozen

FLAT = 1e-6
"""A sigmoid that rises less than this over one standard deviation of the log-odds is flat."""


class SigmoidCurve(Frozen):
    """The probability 1 / (1 + exp(-(slope * x + intercept))) of log-odds x."""

    slope: float = Field(gt=0)
    intercept: float

    def of(self, x: Floats) -> Floats:
        """Return the probability of each log-odds; shape as given."""
        return sigmoid(self.slope * x + self.intercept)

    def at(self, x: float) -> float:
        """Return the probability of one log-odds, the same to the bit."""
        return squash(self.slope * x + self.intercept)

    @classmethod
    def fit(cls, x: Floats, held: NDArray[np.bool_]) -> Self:
        """Return the curve that fits best, by maximum likelihood on smoothed targets.

        ``x`` are log-odds, shape (rows,); ``held`` marks the rows that hold the label. Raises DataError
        when the curve would not rise, MissingExtra without scikit-learn.
        """
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingExtra("Calibration", package="scikit-learn", extra="train") from error
        yes, no = int(held.sum()), int((~held).sum())
        target = np.where(held, (yes + 1) / (yes + 2), 1 / (no + 2))
        middle, spread = float(x.mean()), float(x.std())
        steepness = start = 0.0
        if spread > 0:
            scaled = ((x - middle) / spread)[:, None]
            # A row with the target t is a row that holds the label with weight t, and one that does not.
            regression = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=1000)
            regression.fit(
                np.vstack([scaled, scaled]),
                np.repeat([True, False], len(x)),
                sample_weight=np.append(target, 1 - target),
            )
            steepness, start = float(regression.coef_[0, 0]), float(regression.intercept_[0])
        if steepness < FLAT:
            raise DataError("its slope is not positive: the scores do not rise with the label")
        slope = steepness / spread
        return cls(slope=slope, intercept=start - slope * middle)


class IsotonicCurve(Frozen):
    """A line through points that rise, flat beyond the first and the last."""

    x: tuple[float, ...] = Field(min_length=2)
    """Log-odds, rising strictly."""
    y: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    """Probabilities, never falling; as many as ``x``."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} points and y {len(self.y)}; both want as many")
        if any(a >= b for a, b in pairwise(self.x)) or any(a > b for a, b in pairwise(self.y)):
            raise ValueError("x must rise strictly and y must not fall")
        return self

    @cached_property
    def _steps(self) -> list[float]:
        """How much the line rises over each stretch between two points."""
        return [(d - c) / (b - a) for (a, c), (b, d) in pairwise(zip(self.x, self.y, strict=True))]

    def of(self, x: Floats) -> Floats:
        """Return the probability of each log-odds; shape as given."""
        return np.array([self.at(each) for each in x.ravel().tolist()], np.float64).reshape(x.shape)

    def at(self, x: float) -> float:
        """Return the probability of one log-odds, the same to the bit.

        It is held between the two points around it: rounding alone may give a higher score a lower
        probability.
        """
        points, heights = self.x, self.y
        after = bisect_right(points, x)
        if not 0 < after < len(points):
            return x if x != x else heights[0 if after == 0 else -1]
        low, high = heights[after - 1], heights[after]
        between = low + self._steps[after - 1] * (x - points[after - 1])
        # In this order what is not a number, an endless step times nothing, becomes the lower height.
        return min(max(low, between), high)

    @classmethod
    def fit(cls, x: Floats, held: NDArray[np.bool_]) -> Self:
        """Return the rising curve of the least squared error, kept inside [1/(n+2), 1-1/(n+2)].

        ``x`` are log-odds, shape (rows,); ``held`` marks the rows that hold the label. Raises DataError
        when the curve would not rise, MissingExtra without scikit-learn.
        """
        try:
            from sklearn.isotonic import IsotonicRegression
        except ImportError as error:
            raise MissingExtra("Calibration", package="scikit-learn", extra="train") from error
        margin = 1 / (len(x) + 2)
        regression = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip")
        regression.fit(x, held.astype(np.float64))
        heights = regression.y_thresholds_
        if heights[0] == heights[-1]:
            raise DataError("its curve is flat: the scores do not rise with the label")
        return cls(x=tuple(regression.X_thresholds_.tolist()), y=tuple(heights.tolist()))


CURVES: dict[str, type[SigmoidCurve] | type[IsotonicCurve]] = {
    "sigmoid": SigmoidCurve,
    "isotonic": IsotonicCurve,
}
"""The curves that a calibration can be made of, by its method."""
