"""Cascade + held-out rows -> what known changes of their texts do to the decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from assay.config import BehaviourConfig
from assay.evaluation.behaviour.changes import CHANGES, Change
from assay.evaluation.behaviour.excerpts import excerpts
from assay.evaluation.behaviour.results import BehaviourTest, Changed
from assay.evaluation.intervals import Interval, exact_interval
from assay.evaluation.metrics import Floats

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade

TOLERANCE = 0.1
"""How far a score may move against what is expected of it, as in CheckList's own directional tests."""
EXAMPLES = 3
Pairs = list[tuple[str, str]]
Expectation = Literal["same", "away", "up", "down", "measured"]
TOLD: dict[Expectation, str] = {
    "same": "the label stays",
    "away": f"the score of the label given rises by no more than {TOLERANCE}",
    "up": f"the score of {{positive}} falls by no more than {TOLERANCE}",
    "down": f"the score of {{positive}} rises by no more than {TOLERANCE}",
    "measured": "",
}


def run_behaviour(cascade: "Cascade", rows: "Rows", config: BehaviourConfig) -> tuple[BehaviourTest, ...]:
    """Return what became of the decisions on held-out texts that were changed in known ways.

    Each change is tried on the first rows, in the order of ``Rows.order``, to which it applies, at most
    ``config.rows`` of them: two versions meet the same texts, changed in the same way.

    The tests are those of Ribeiro and others (2020), Beyond Accuracy: Behavioral Testing of NLP Models with
    CheckList, section 2, done to texts that the task holds out.
    """
    pairs = [_pairs(change, rows, config.rows) for change in CHANGES]
    scored = _Scored.of(cascade, [text for some in pairs for pair in some for text in pair])
    return tuple(
        _tested(change, _expectation(change, config), some, scored)
        for change, some in zip(CHANGES, pairs, strict=True)
    )


@dataclass(frozen=True)
class _Scored:
    """What a cascade makes of texts, each judged once; where a rule decided, its label has the score 1."""

    cascade: "Cascade"
    places: dict[str, int]
    labels: NDArray[np.object_]
    scores: Floats

    @classmethod
    def of(cls, cascade: "Cascade", texts: Sequence[str]) -> "_Scored":
        distinct = list(dict.fromkeys(texts))
        judged = cascade.judge(distinct)
        places = {text: place for place, text in enumerate(distinct)}
        return cls(cascade, places, np.array(judged.labels, object), judged.probabilities)

    def at(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.places[text] for text in texts], np.int64)


def _pairs(change: Change, rows: "Rows", count: int) -> Pairs:
    """Return the texts that a change applies to, each before and after it."""
    texts = (rows.texts[place] for place in rows.order)
    return list(islice(((text, changed) for text in texts if (changed := change(text)) is not None), count))


def _expectation(change: Change, config: BehaviourConfig) -> Expectation:
    if change.kind == "invariance":
        return "same"
    asked: dict[str, Expectation] = {"negation": config.negation, "link": config.link}
    return asked[change.name]


def _tested(change: Change, expected: Expectation, pairs: Pairs, scored: _Scored) -> BehaviourTest:
    before, after = (scored.at([pair[side] for pair in pairs]) for side in (0, 1))
    labels = scored.labels[before], scored.labels[after]
    number = scored.cascade.labels.index
    positive = scored.cascade.task.positive
    told = [number(label) for label in labels[0]] if expected in ("same", "away") else number(positive)
    scores = scored.scores[before, told], scored.scores[after, told]
    shift, flipped = scores[1] - scores[0], labels[0] != labels[1]
    failed = _failed(expected, shift, flipped)
    shown = failed if failed.any() else flipped
    worst = [at for at in np.argsort(-np.abs(shift), kind="stable").tolist() if shown[at]]
    return BehaviourTest(
        name=change.name,
        kind=change.kind,
        change=change.told,
        expected=TOLD[expected].format(positive=repr(positive)),
        rows=len(pairs),
        failures=_share(expected, failed),
        flips=int(flipped.sum()),
        shift=float(shift.mean()) if pairs else None,
        examples=tuple(
            _example(pairs[at], (labels[0][at], labels[1][at]), (scores[0][at], scores[1][at]))
            for at in worst[:EXAMPLES]
        ),
    )


def _failed(expected: Expectation, shift: Floats, flipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows broke the expectation."""
    if expected == "same":
        return flipped
    against = {"away": shift, "down": shift, "up": -shift}.get(expected)
    return np.zeros(len(shift), np.bool_) if against is None else against > TOLERANCE


def _share(expected: Expectation, failed: NDArray[np.bool_]) -> Interval:
    if expected == "measured":
        return Interval(value=None, reason="nothing is expected")
    return exact_interval(int(failed.sum()), len(failed), reason="the change applies to no row")


def _example(pair: tuple[str, str], labels: tuple[str, str], scores: tuple[float, float]) -> Changed:
    before, after = excerpts(*pair)
    return Changed(before=before, after=after, labels=labels, scores=scores)
