"""One decision as the log keeps it, and as a line of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

MEANINGS = {
    "at": "When it was decided, in UTC: the time in its id, to the millisecond.",
    "id": "The decision's id, the one that the answer carries.",
    "task": "The task.",
    "model": "The registered model.",
    "version": "The version's number; empty for an artifact folder.",
    "label": "The label given.",
    "confidence": "The probability of that label; where a rule decided, the lower bound of its precision.",
    "score": "The calibrated probability of the positive label; absent where a rule decided.",
    "threshold": "The score from which on the positive label is given; absent with more than two labels.",
    "decided_by": "`rule` or `model`.",
    "rule": "The rule that decided.",
    "review": "Whether the score was inside the review band.",
    "characters": "Characters of the text.",
    "unknown": "Share of the text's first words that the model does not know; absent where not looked at.",
    "text_hash": "Keyed BLAKE2b of the text, 32 hexadecimal digits: equal for equal texts.",
    "text": "The text, or what is left of it when it was redacted; only with `ASSAY_DECISION_TEXT`.",
    "subject": "Keyed BLAKE2b of the request's `subject`.",
    "request_id": "The request's id.",
    "key": "Name of the key that asked.",
    "route": "The template of the request's path.",
    "share": "The share of decisions that was logged then; absent when all were.",
}
"""Every field of a line, in this order; what is empty is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One decision as the log keeps it; ``MEANINGS`` says what each field is."""

    at: float
    """Seconds since the epoch; a line has it as text."""
    id: str
    task: str
    model: str
    version: str
    label: str
    confidence: float
    score: float | None = None
    threshold: float | None = None
    decided_by: str = "model"
    rule: str | None = None
    review: bool = False
    characters: int = 0
    unknown: float | None = None
    text_hash: str = ""
    text: str | None = None
    subject: str | None = None
    request_id: str = ""
    key: str = ""
    route: str = ""
    share: float = 1.0

    def line(self) -> bytes:
        """Return the record as one line of JSON with its newline; what is empty is left out.

        Raises TypeError where a text is not valid Unicode.
        """
        # One by one: a loop over the fields takes four times as long, and every decision comes by here.
        told: dict[str, Any] = {
            "at": written(self.at),
            "id": self.id,
            "task": self.task,
            "model": self.model,
            "version": self.version,
            "label": self.label,
            "confidence": self.confidence,
        }
        if self.score is not None:
            told["score"] = self.score
        if self.threshold is not None:
            told["threshold"] = self.threshold
        if self.decided_by != "model":
            told["decided_by"] = self.decided_by
        if self.rule is not None:
            told["rule"] = self.rule
        if self.review:
            told["review"] = True
        if self.characters:
            told["characters"] = self.characters
        if self.unknown is not None:
            told["unknown"] = self.unknown
        if self.text_hash:
            told["text_hash"] = self.text_hash
        if self.text is not None:
            told["text"] = self.text
        self._add_request(told)
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)

    def _add_request(self, told: dict[str, Any]) -> None:
        if self.subject is not None:
            told["subject"] = self.subject
        if self.request_id:
            told["request_id"] = self.request_id
        if self.key:
            told["key"] = self.key
        if self.route:
            told["route"] = self.route
        if self.share != 1.0:
            told["share"] = self.share


NAMES = tuple(each.name for each in fields(Record) if each.name != "at")


def written(at: float) -> str:
    """Return a moment as a line has it."""
    second, microsecond = divmod(round(at * 1e6), 1_000_000)
    return f"{_second(second)}.{microsecond:06d}+00:00"


@lru_cache(maxsize=16)
def _second(second: int) -> str:
    # Making it takes longer than the rest of a line, and many decisions fall into one second.
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def read_line(line: bytes) -> Record | None:
    """Return the record of a line; None where the line is torn or none of the log's."""
    try:
        found = orjson.loads(line)
        return record_of(found) if isinstance(found, Mapping) else None
    except (ValueError, TypeError, KeyError):
        return None


def record_of(found: Mapping[str, Any]) -> Record:
    """Return the record of a line's fields; names that are not known are passed over.

    Raises ValueError or TypeError for what is no record.
    """
    given = {name: found[name] for name in NAMES if found.get(name) is not None}
    return Record(at=datetime.fromisoformat(found["at"]).timestamp(), **given)
