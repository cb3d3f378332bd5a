"""One decision as the log keeps it, and as a line of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

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
        told = fields_of(self, written(self.at), self.characters, self.unknown, self.text_hash, self.text)
        add_request(told, self.subject, self.request_id, self.key, self.route)
        if self.share != 1.0:
            told["share"] = self.share
        return line_of(told)


NAMES = tuple(each.name for each in fields(Record) if each.name != "at")


class Answer(Protocol):
    """What a line tells of a decision itself; a ``Decision`` has it, and a ``Record``."""

    @property
    def id(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def score(self) -> float | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def decided_by(self) -> str: ...
    @property
    def rule(self) -> str | None: ...
    @property
    def review(self) -> bool: ...


def fields_of(
    decided: Answer, at: str, characters: int, unknown: float | None, text_hash: str, text: str | None
) -> dict[str, Any]:
    """Return what a line tells of a decision and its text, in the order of a line."""
    # One by one: a loop over the fields takes four times as long, and every decision comes by here.
    told: dict[str, Any] = {
        "at": at,
        "id": decided.id,
        "task": decided.task,
        "model": decided.model,
        "version": decided.version,
        "label": decided.label,
        "confidence": decided.confidence,
    }
    if (score := decided.score) is not None:
        told["score"] = score
    if (threshold := decided.threshold) is not None:
        told["threshold"] = threshold
    if (tier := decided.decided_by) != "model":
        told["decided_by"] = tier
    if (rule := decided.rule) is not None:
        told["rule"] = rule
    if decided.review:
        told["review"] = True
    if characters:
        told["characters"] = characters
    if unknown is not None:
        told["unknown"] = unknown
    if text_hash:
        told["text_hash"] = text_hash
    if text is not None:
        told["text"] = text
    return told


def add_request(told: dict[str, Any], subject: str | None, request_id: str, key: str, route: str) -> None:
    """Add what a line tells of the request, after ``fields_of``."""
    if subject is not None:
        told["subject"] = subject
    if request_id:
        told["request_id"] = request_id
    if key:
        told["key"] = key
    if route:
        told["route"] = route


def line_of(told: Mapping[str, Any]) -> bytes:
    """Return a line with its newline; raises TypeError where a text is not valid Unicode."""
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


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
