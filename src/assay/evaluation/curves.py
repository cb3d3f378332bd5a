"""Curves and histograms reduced to what a plot can show."""

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.measure import Outcome
from assay.evaluation.metrics import Floats
from assay.evaluation.ranking import Ranking
from assay.evaluation.report import Curve, Histogram, Points

MAX_POINTS = 200
BINS = 40
DIGITS = 6
"""Curves are for the eye; the areas beside them keep every digit."""


def curve_of(ranking: Ranking) -> Curve:
    """Return the ROC and precision-recall curve of a label; empty where they are undefined."""
    found, false = (counts[0] for counts in ranking.counts())
    if not len(found) or not found[-1] or not false[-1]:
        return Curve(roc=(), precision_recall=())
    recall = found / found[-1]
    fall_out = false / false[-1]
    precision = found / (found + false)
    return Curve(
        roc=thin(np.append(0.0, fall_out), np.append(0.0, recall)),
        precision_recall=thin(np.append(0.0, recall), np.append(precision[0], precision)),
    )


def thin(x: Floats, y: Floats, most: int = MAX_POINTS) -> Points:
    """Return at most ``most`` points of a line: its corners, or a choice of them spread evenly along it."""
    x, y = _corners(x, y)
    travelled = np.cumsum(np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])))
    kept: NDArray[np.int64] = np.arange(len(x))
    if len(x) > most:
        kept = np.unique(np.searchsorted(travelled, np.linspace(0, travelled[-1], most)).clip(max=len(x) - 1))
    points = zip(x[kept].round(DIGITS).tolist(), y[kept].round(DIGITS).tolist(), strict=True)
    return tuple(dict.fromkeys(points))


def _corners(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return a line without the points that lie straight between their neighbours."""
    across, up = np.diff(x), np.diff(y)
    turns = across[:-1] * up[1:] != across[1:] * up[:-1]
    kept = np.concatenate(([True], turns, [True]))
    return x[kept], y[kept]


def histogram_of(outcome: Outcome) -> Histogram:
    """Return how the scores of the rows that the model decided spread.

    With two labels: the probability of the positive one, by true label. With more: the highest
    probability of each row, by whether the decision was right.
    """
    scored = outcome.by_model
    truth, scores = outcome.truth[scored], outcome.scores[scored]
    left = "" if scored.all() else ", rows left to the model"
    if len(outcome.labels) == 2:
        of = f"Probability of {outcome.positive}{left}"
        shown = scores[:, outcome.labels.index(outcome.positive)]
        groups = {label: truth == number for number, label in enumerate(outcome.labels)}
    else:
        of = f"Highest probability of any label{left}"
        shown = scores.max(axis=1, initial=0.0)
        right = truth == outcome.decided[scored]
        groups = {"right": right, "wrong": ~right}
    edges = np.linspace(0, 1, BINS + 1)
    counts = {name: tuple(np.histogram(shown[group], edges)[0].tolist()) for name, group in groups.items()}
    return Histogram(of=of, edges=tuple(edges.round(DIGITS).tolist()), counts=counts)
