"""The answer for one text."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

from assay.estimators.explanation import Explanation


def new_id() -> str:
    """Return an identifier that no other decision has, a UUID of version 7 (RFC 9562): 32 hexadecimal digits.

    The first 48 bits are milliseconds since the epoch, so that a log finds a decision by its time; 74 are
    random.
    """
    drawn = int.from_bytes(os.urandom(10))
    head = (time.time_ns() // 1_000_000 & 0xFFFFFFFFFFFF) << 80
    return f"{head | 0x7 << 76 | (drawn >> 4 & 0xFFF) << 64 | 0b10 << 62 | drawn & 0x3FFFFFFFFFFFFFFF:032x}"


def time_of(identifier: str) -> float | None:
    """Return when an identifier was made, in seconds since the epoch; None when it is of another kind.

    >>> time_of("0199dd3cf0007abc8def0123456789ab")
    1760353382.4
    >>> time_of("8a5b0c9d2f3e4a618a5b0c9d2f3e4a61")
    """
    if identifier[12:13] != "7" or len(identifier) != 32:
        return None
    return int(identifier[:12], 16) / 1000


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
