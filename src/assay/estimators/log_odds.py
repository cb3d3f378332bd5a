"""The log-odds of a model's raw probabilities: the scale on which they are calibrated."""

import numpy as np

from assay.estimators.linear import Floats, Link

AT_ONCE = 1 << 18
"""Numbers held at once where every label is compared with every other (2 MB)."""


def log_odds(logits: Floats, link: Link) -> Floats:
    """Return the log-odds of every label, shape (texts, labels); of two, of the second alone, (texts, 1).

    Taken from the logits, so that a probability that rounds to 1 keeps its place among the others.
    """
    if link == "sigmoid":
        return logits
    scores = logits if link == "softmax" else -np.logaddexp(0.0, -logits)
    rows, labels = scores.shape
    odds = np.empty((rows, labels))
    size = max(1, AT_ONCE // labels**2)
    for start in range(0, rows, size):
        odds[start : start + size] = _against_the_rest(scores[start : start + size])
    return odds[:, 1:] if labels == 2 else odds


def _against_the_rest(scores: Floats) -> Floats:
    itself = np.eye(scores.shape[1], dtype=bool)
    others = np.where(itself, -np.inf, scores[:, None, :])
    highest = others.max(axis=2)
    rest = np.exp(others - highest[:, :, None]).sum(axis=2)
    odds: Floats = scores - highest - np.log(rest)
    return odds
