"""Probabilities that mean what they say: of the texts given 0.8, eight in ten hold the label."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from assay.estimators.curves import CURVES, IsotonicCurve, SigmoidCurve
from assay.estimators.linear import Floats, Link, probabilities, squash
from assay.estimators.log_odds import log_odds
from assay.exceptions import DataError
from assay.frozen import Frozen

Method = Literal["none", "sigmoid", "isotonic"]
MIN_ROWS = 10
"""How many rows of every label a curve wants."""


class Calibration(Frozen):
    """Curves from a model's logits to probabilities; without any, the model's own are given.

    With two labels there is one curve, of the second label; with more one a label, over the log-odds of
    its raw probability, and a row is scaled to sum 1.

    >>> curve = SigmoidCurve(slope=0.5, intercept=0.0)
    >>> calibration = Calibration(method="sigmoid", curves=(curve,))
    >>> calibration.probabilities(np.array([[0.0], [4.0]]), "sigmoid").round(3).tolist()
    [[0.5, 0.5], [0.119, 0.881]]
    """

    method: Method = "none"
    curves: tuple[SigmoidCurve | IsotonicCurve, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kind = CURVES.get(self.method)
        if (kind is None) != (not self.curves) or len(self.curves) == 2:
            raise ValueError(f"{len(self.curves)} curves make no calibration by {self.method!r}")
        if kind and not all(isinstance(curve, kind) for curve in self.curves):
            raise ValueError(f"every curve of a calibration by {self.method!r} must be of that kind")
        return self

    def fits(self, labels: int) -> bool:
        """Return whether the curves are as many as a number of labels wants."""
        return len(self.curves) in (0, 1 if labels == 2 else labels)

    def probabilities(self, logits: Floats, link: Link) -> Floats:
        """Return each text's probability of each label, shape (texts, labels), from (texts, logits).

        A row does not depend on the other texts and sums to 1.
        """
        if not self.curves:
            return probabilities(logits, link)
        odds = log_odds(logits, link).T
        given = [curve.of(column) for curve, column in zip(self.curves, odds, strict=True)]
        if len(given) == 1:
            return np.column_stack([1.0 - given[0], given[0]])
        return _shares(np.column_stack(given))

    @property
    def of_one(self) -> Callable[[float], float]:
        """What gives the second label's probability of the one logit of two labels, the same to the bit."""
        return self.curves[0].at if self.curves else squash


class CalibrationChoice(NamedTuple):
    """A calibration, the Brier score of each method on the validation rows, and why it was chosen."""

    calibration: Calibration
    brier: dict[str, float]
    reason: str


def choose_calibration(
    method: Literal["auto", "none", "sigmoid", "isotonic"],
    logits: Floats,
    truth: NDArray[np.int64],
    link: Link,
    labels: int,
    validation: NDArray[np.bool_],
) -> CalibrationChoice:
    """Return the calibration of a model, fitted on its held-out logits.

    ``auto`` fits both curves on the rows that are not validation, takes the one of the lower Brier score
    on those that are, and fits it again on all. Where rows are too few or a curve would not rise, the
    model's own probabilities stay and the reason says why.

    Parameters
    ----------
    logits : held-out logits of the rows that the rules leave to the model, shape (rows, logits)
    truth : label numbers, shape (rows,)
    labels : how many labels there are
    validation : marks the rows that the methods are compared on, shape (rows,)

    Raises DataError for logits that are not finite, MissingExtra without scikit-learn.
    """
    _check(logits, truth, validation)
    rows = _Rows(logits, truth, link, labels)
    if method == "none":
        return CalibrationChoice(Calibration(), {}, "the task asks for none")
    scores, notes = _compare(rows, validation)
    ranked = sorted(scores.keys() - {"none"}, key=lambda name: (scores[name], name != "sigmoid"))
    why = _told(ranked, scores, int(validation.sum()))
    if method != "auto":
        lack = rows.lack()
        ranked, why, notes = ([], "", [lack]) if lack else ([method], f"the task asks for {method}", [])
    for name in ranked:
        try:
            return CalibrationChoice(rows.fit(name), scores, "; ".join([why, *notes]))
        except DataError as error:
            notes.append(f"{name} is refused: {error.message}")
    return CalibrationChoice(Calibration(), scores, "; ".join(["not calibrated", *dict.fromkeys(notes)]))


def brier_score(given: Floats, truth: NDArray[np.int64]) -> float:
    """Return the mean squared distance of probabilities, shape (rows, labels), to the truth.

    Over all labels with more than two, of one label with two. Source: Brier, "Verification of forecasts
    expressed in terms of probability" (Monthly Weather Review, 1950).
    """
    squares = (given - np.eye(given.shape[1])[truth]) ** 2
    return float((squares[:, 1] if given.shape[1] == 2 else squares.sum(axis=1)).mean())


def _shares(given: Floats) -> Floats:
    total = given.sum(axis=1, keepdims=True)
    # A text that every curve takes for hopeless is as likely one label as another.
    shares = np.full_like(given, 1.0 / given.shape[1])
    np.divide(given, total, out=shares, where=total > 0)
    return shares


class _Rows(NamedTuple):
    """Rows to fit curves on and to measure them with."""

    logits: Floats
    truth: NDArray[np.int64]
    link: Link
    labels: int

    def where(self, kept: NDArray[np.bool_]) -> "_Rows":
        return self._replace(logits=self.logits[kept], truth=self.truth[kept])

    def lack(self, least: int = MIN_ROWS) -> str:
        """Return which label has too few rows; empty when none has."""
        counts = np.bincount(self.truth, minlength=self.labels)
        few = int(counts.argmin())
        if counts[few] >= least:
            return ""
        return f"label {few + 1} of {self.labels} has {counts[few]} rows for the model, fewer than {least}"

    def fit(self, method: str) -> Calibration:
        """Return the calibration by a method; raises DataError when a curve would not rise."""
        numbers = [1] if self.labels == 2 else range(self.labels)
        curves = []
        for number, odds in zip(numbers, log_odds(self.logits, self.link).T, strict=True):
            try:
                curves.append(CURVES[method].fit(odds, self.truth == number))
            except DataError as error:
                raise DataError(f"of label {number + 1} of {self.labels}, {error.message}") from error
        return Calibration.model_validate({"method": method, "curves": tuple(curves)})

    def brier(self, calibration: Calibration) -> float:
        return brier_score(calibration.probabilities(self.logits, self.link), self.truth)


def _compare(rows: _Rows, validation: NDArray[np.bool_]) -> tuple[dict[str, float], list[str]]:
    """Return the Brier score of each method on validation rows, and why a method has none."""
    rest, held_out = rows.where(~validation), rows.where(validation)
    sides = {"outside the validation rows": rest.lack(), "in the validation rows": held_out.lack(1)}
    scores = {"none": held_out.brier(Calibration())} if validation.any() else {}
    notes = [f"{side}, {lack}" for side, lack in sides.items() if lack]
    for method in () if notes else CURVES:
        try:
            scores[method] = held_out.brier(rest.fit(method))
        except DataError as error:
            notes.append(f"{method} is refused: {error.message}")
    return scores, notes


def _told(ranked: Sequence[str], scores: dict[str, float], rows: int) -> str:
    shown = ", ".join(f"{name} {scores[name]:.5f}" for name in [*ranked, "none"] if name in scores)
    return f"{'the lower' if ranked[1:] else 'the only'} Brier score on {rows:,} validation rows ({shown})"


def _check(logits: Floats, truth: NDArray[np.int64], validation: NDArray[np.bool_]) -> None:
    if not len(logits) == len(truth) == len(validation):
        raise DataError(
            f"Held-out logits, labels and sides must be equally many; "
            f"there are {len(logits)}, {len(truth)} and {len(validation)}."
        )
    strange = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(strange):
        row = int(strange[0])
        raise DataError(
            f"The held-out score of row {row} is {logits[row].tolist()}, which is not finite: "
            "nothing can be calibrated on it. Check the features and the fit of the model.",
            row=row,
        )
