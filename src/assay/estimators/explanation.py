"""What moved one decision: the rules that fired, where, and the n-grams that weighed most."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from assay.estimators.linear import LinearModel
from assay.estimators.model import Model
from assay.estimators.rules import Hit, Rules

if TYPE_CHECKING:
    from assay.estimators.encoder.occlusion import Occlusions

    class Occluding(Model, Protocol):
        """A model that says what it makes of a text without each of its words."""

        def occlusions(self, text: str) -> Occlusions: ...


MOST_NGRAMS = 20
"""How many n-grams are named; the others are told as one sum."""


@dataclass(frozen=True, kw_only=True)
class FiredRule:
    """A rule that fired, with the places in the text, in characters, and what evidence added to the logit.

    ``weight`` is None for a deciding rule, and for evidence where a rule decided.
    """

    id: str
    label: str
    action: str
    spans: tuple[tuple[int, int], ...]
    weight: float | None


@dataclass(frozen=True, kw_only=True)
class WeighedNgram:
    """An n-gram of the text and what it added to the logit; ``kind`` says how the text was cut."""

    text: str
    kind: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What moved one decision.

    ``label`` is the label that the logit speaks for: with two labels the positive one, else the one given.
    ``bias``, every weight of ``rules`` and ``ngrams``, and ``other`` (the n-grams that are not named)
    add up to ``logit``, which calibration turns into the score. Where a rule decided, the model was
    not asked: ``bias`` and ``logit`` are None.

    An encoder's ``bias`` is the logit of no text, and a word's weight what the logit loses without it
    (``EncoderModel.occlusions``; words are put together where there are many). What words do only together
    is in ``other``, which may be larger than any of them.
    """

    label: str
    rules: tuple[FiredRule, ...]
    ngrams: tuple[WeighedNgram, ...] = ()
    other: float = 0.0
    bias: float | None = None
    logit: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain JSON values."""
        return asdict(self)


def explain_text(model: Model, rules: Rules, text: str, *, label: str, ruled: bool) -> Explanation:
    """Return what moved the decision for a text towards or away from a label.

    ``ruled`` says that a rule decided: the model has no part in it then.
    """
    fired = rules.find(text)
    if ruled:
        return Explanation(label=label, rules=tuple(_fired(hit, None) for hit in fired))
    if not isinstance(model, LinearModel):
        return _of_encoder(cast("Occluding", model), tuple(_fired(hit, None) for hit in fired), text, label)
    column, sign = _logit_of(model, label)
    weights = {}
    if model.evidence is not None:
        evidence = sign * model.evidence.coef[:, column]
        weights = dict(zip(model.evidence.rules, evidence.tolist(), strict=True))
    named = tuple(_fired(hit, weights.get(hit.rule.id)) for hit in fired)
    moved = sorted(
        _ngrams(model, text, column, sign), key=lambda each: (-abs(each.weight), each.text, each.kind)
    )
    bias = sign * float(model.intercept[column])
    parts = [bias, *(each.weight or 0.0 for each in named), *(each.weight for each in moved)]
    return Explanation(
        label=label,
        rules=named,
        ngrams=tuple(moved[:MOST_NGRAMS]),
        other=sum(each.weight for each in moved[MOST_NGRAMS:]),
        bias=bias,
        logit=sum(parts),
    )


def _of_encoder(model: "Occluding", named: tuple[FiredRule, ...], text: str, label: str) -> Explanation:
    """Return what an encoder's logit loses without each word, and as ``other`` what the words leave open."""
    column, sign = _logit_of(model, label)
    found = model.occlusions(text)
    pieces = [
        WeighedNgram(text=piece.text, kind="words", weight=sign * piece.weights[column])
        for piece in found.pieces
    ]
    moved = sorted(pieces, key=lambda each: (-abs(each.weight), each.text))[:MOST_NGRAMS]
    bias, logit = sign * found.nothing[column], sign * found.logits[column]
    return Explanation(
        label=label,
        rules=named,
        ngrams=tuple(moved),
        other=logit - bias - sum(each.weight for each in moved),
        bias=bias,
        logit=logit,
    )


def _logit_of(model: Model, label: str) -> tuple[int, float]:
    """Return the column of a label's logit and the sign with which it speaks for the label."""
    at = model.labels.index(label)
    if model.link == "sigmoid":
        return 0, 1.0 if at == 1 else -1.0
    return at, 1.0


def _fired(hit: Hit, weight: float | None) -> FiredRule:
    spans = tuple((begin, end) for begin, end in hit.spans)
    rule = hit.rule
    return FiredRule(id=rule.id, label=rule.label, action=rule.action, spans=spans, weight=weight)


def _ngrams(model: LinearModel, text: str, column: int, sign: float) -> Iterator[WeighedNgram]:
    for block in model.blocks:
        for features, values in block.vectors([text]):
            added = sign * values * block.coef[features, column]
            for feature, weight in zip(features.tolist(), added.tolist(), strict=True):
                yield WeighedNgram(
                    text=block.vocabulary.gram(feature), kind=block.spec.analyzer, weight=weight
                )
