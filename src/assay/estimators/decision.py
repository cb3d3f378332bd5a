"""The answer for one text."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from assay.estimators.explanation import Explanation


def new_id() -> str:
    """Return an identifier that no other decision has: 32 hexadecimal digits, 122 of their bits random."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
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
