"""One decision as the log keeps it, and as a line of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import orjson

MEANINGS = {
    "at": "When it was decided, in UTC, to the microsecond.",
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
        """Return the record as one line of JSON with its newline; what is empty is left out."""
        told = {name: value for name in NAMES if (value := getattr(self, name)) != DEFAULTS.get(name, value)}
        for name in ALWAYS:
            told[name] = getattr(self, name)
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds")
        return orjson.dumps({"at": moment, **told}, option=orjson.OPT_APPEND_NEWLINE)


NAMES = tuple(each.name for each in fields(Record) if each.name != "at")
DEFAULTS = {each.name: each.default for each in fields(Record)}
ALWAYS = ("id", "task")


def read_line(line: bytes) -> Record | None:
    """Return the record of a line; None where the line is torn or none of the log's."""
    try:
        found = orjson.loads(line)
        return record_of(found) if isinstance(found, Mapping) else None
    except (ValueError, TypeError):
        return None


def record_of(found: Mapping[str, Any]) -> Record:
    """Return the record of a line's fields; names that are not known are passed over.

    Raises ValueError or TypeError for what is no record.
    """
    given = {name: found[name] for name in NAMES if found.get(name) is not None}
    return Record(at=datetime.fromisoformat(found["at"]).timestamp(), **given)
