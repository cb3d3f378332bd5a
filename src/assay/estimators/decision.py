"""The answer for one text."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from assay.estimators.explanation import Explanation
from assay.estimators.identifiers import new_id


class _Open:
    """The fields of a decision while they may be set; one that is frozen takes ten times as long to fill."""

    __slots__ = (
        "confidence",
        "decided_by",
        "explanation",
        "id",
        "label",
        "model",
        "review",
        "rule",
        "score",
        "scores",
        "task",
        "threshold",
        "version",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(_Open):
    """The answer for one text: what was decided, by what, and how sure it is.

    ``score`` is the probability of the task's positive label, ``confidence`` that of the label given,
    ``threshold`` the score from which the positive label is given (None with more than two labels, where
    each label has its own and ``scores`` holds every label's probability). Where a rule decided, ``score``
    is None and ``confidence`` the lower bound of the rule's measured precision.
    """

    task: str
    label: str
    confidence: float
    score: float | None
    threshold: float | None
    decided_by: str
    model: str
    version: str
    rule: str | None = None
    review: bool = False
    scores: dict[str, float] | None = None
    explanation: Explanation | None = None
    id: str = field(default_factory=new_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as the HTTP contract writes it."""
        answer: dict[str, Any] = {
            "id": self.id,
            "task": self.task,
            "label": self.label,
            "confidence": self.confidence,
            "score": self.score,
            "threshold": self.threshold,
            "decided_by": self.decided_by,
            "rule": self.rule,
            "review": self.review,
            "model": self.model,
            "version": self.version,
        }
        if self.scores is not None:
            answer["scores"] = self.scores
        if self.task == "sentiment":
            answer["sentiment"] = self.label
        if self.explanation is not None:
            answer["explanation"] = self.explanation.to_dict()
        return answer


class Form(NamedTuple):
    """What all decisions of a cascade have in common, filled in text by text.

    >>> form = Form(task="spam", threshold=0.5, model="SpamClassifier", version="7")
    >>> form.fill("0199dd3cf0007abc8def0123456789ab", "spam", 0.97, rule="prize").decided_by
    'rule'
    """

    task: str
    threshold: float | None
    model: str
    version: str

    def fill(
        self,
        id: str,
        label: str,
        confidence: float,
        score: float | None = None,
        review: bool = False,
        scores: dict[str, float] | None = None,
        rule: str | None = None,
    ) -> Decision:
        """Return the decision about a text: a rule's where one is named, else the model's."""
        made: Any = _Open()
        made.task, made.threshold, made.model, made.version = self
        made.decided_by = "model" if rule is None else "rule"
        made.id, made.label, made.confidence, made.score = id, label, confidence, score
        made.rule, made.review, made.scores, made.explanation = rule, review, scores, None
        made.__class__ = Decision
        filled: Decision = made
        return filled
