"""What tells live texts from held-out ones: a classifier of the two, and the words that came and went."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import MissingExtra
from assay.frozen import Frozen
from assay.telemetry.decisions.redaction import redact

Floats = NDArray[np.float64]
FEWEST = 100
"""Texts of either side without which nothing is fitted."""
LONGEST = 4_000
"""Characters of a text that are looked at, on both sides alike."""
FOLDS = 5
SHOWN = 10
"""Words that are named, of those that came and of those that went."""
CERTAIN = 4.0
"""Standard errors between the shares of texts that have a word, from which on it is named: of 10,000 words
that did not change, fewer than one passes."""
SEED = 0
PLACEHOLDER = re.compile(r"\[(?:email|link|phone|card)\]", re.IGNORECASE)
"""What ``redact`` leaves in the place of something; the words in it are nobody's."""
WORD = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")


class Word(Frozen):
    """A word, its weight in the classifier, and the shares of texts that have it."""

    word: str
    weight: float
    now: float
    then: float


class Domain(Frozen):
    """How well live texts can be told from held-out ones, and by which words."""

    live: int
    """Distinct live texts."""
    left_out: int
    """Live texts that repeat one of those or a held-out one."""
    held_out: int
    auc: float
    """Chance that a live text gets a higher score than a held-out one, by models that saw neither."""
    low: float
    high: float
    came: tuple[Word, ...]
    went: tuple[Word, ...]
    since: datetime | None = None
    """When the oldest of the live texts may be from; None for all of the span."""

    @property
    def differs(self) -> bool:
        """True when the two can be told apart better than by guessing."""
        return self.low > 0.5


def tell_apart(live: Sequence[str], held_out: Sequence[str]) -> Domain:
    """Return how live texts differ from held-out ones: logistic regression over which words a text has.

    Both sides are redacted, so that what the log left out of its texts is no difference. Raises ValueError
    where either side has fewer than ``FEWEST`` distinct texts or there is no word to compare, MissingExtra
    without scikit-learn.
    """
    sides_of = [dict.fromkeys(redact(text[:LONGEST]) for text in side) for side in (live, held_out)]
    # A text of both sides tells them apart no more, and a model that saw its double would get it wrong.
    both = sides_of[0].keys() & sides_of[1].keys()
    distinct, reference = ([text for text in side if text not in both] for side in sides_of)
    if min(len(distinct), len(reference)) < FEWEST:
        raise ValueError(
            f"it takes {FEWEST} distinct texts that only one side has; there are {len(distinct):,} live and "
            f"{len(reference):,} held-out ones, and {len(both):,} of both"
        )
    sides = np.repeat([1, 0], [len(distinct), len(reference)])
    words, present, scores, weights = _fit([*distinct, *reference], sides)
    auc, low, high = area(scores[sides == 1], scores[sides == 0])
    now, then = (
        np.asarray(present[sides == side].sum(axis=0)).ravel() / (sides == side).sum() for side in (1, 0)
    )
    moved = _moved(now, then, len(distinct), len(reference)) * (weights * (now - then) > 0)
    found = [
        Word(word=words[at], weight=float(weights[at]), now=float(now[at]), then=float(then[at]))
        for at in np.argsort(-moved).tolist()
        if moved[at] > 0
    ]
    return Domain(
        live=len(distinct),
        left_out=len(live) - len(distinct),
        held_out=len(reference),
        auc=auc,
        low=low,
        high=high,
        came=tuple(each for each in found if each.weight > 0)[:SHOWN],
        went=tuple(each for each in found if each.weight < 0)[:SHOWN],
    )


def _fit(texts: list[str], sides: NDArray[np.int_]) -> tuple[list[str], Any, Floats, Floats]:
    """Return the words, which text has which, the scores by models that had not seen them, the weights."""
    try:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold
    except ImportError as error:
        raise MissingExtra("Naming the words that came", package="scikit-learn", extra="train") from error
    least = max(5, len(texts) // 1_000)
    try:
        counter = CountVectorizer(binary=True, tokenizer=_words, token_pattern=None, min_df=least)
        present = counter.fit_transform(texts).astype(np.float64)
    except ValueError as error:
        raise ValueError(f"no word is in {least} of the texts, so that none can be compared") from error
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1_000)
    scores = np.zeros(len(texts))
    for fitted, left in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(present, sides):
        scores[left] = model.fit(present[fitted], sides[fitted]).decision_function(present[left])
    weights: Floats = model.fit(present, sides).coef_[0]
    return counter.get_feature_names_out().tolist(), present, scores, weights


def _moved(now: Floats, then: Floats, live: int, held_out: int) -> Floats:
    """Return each word's part of a PSI of words, 0 where chance may explain that its share moved."""
    both = (now * live + then * held_out) / (live + held_out)
    errors = np.sqrt(both * (1 - both) * (1 / live + 1 / held_out))
    # As if half a text more had the word, so that one that is new is not infinitely so.
    ratio = np.log((now + 0.5 / live) / (then + 0.5 / held_out))
    found: Floats = (now - then) * ratio * (np.abs(now - then) > CERTAIN * errors)
    return found


def _words(text: str) -> list[str]:
    return WORD.findall(PLACEHOLDER.sub(" ", text))


def area(members: Floats, others: Floats) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its interval of 95 %.

    The variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics, 1988).

    >>> area(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0]))[0].__round__(3)
    0.944
    """
    above = _places(members, others)
    below = 1 - _places(others, members)
    value = float(above.mean())
    spread = float(np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)))
    return value, max(0.0, value - 1.96 * spread), min(1.0, value + 1.96 * spread)


def _places(values: Floats, among: Floats) -> Floats:
    """Return for each value the share of the others below it; equal ones count one half."""
    ordered = np.sort(among)
    lower, upper = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    found: Floats = (lower + upper) / 2 / len(ordered)
    return found
