"""Decisions as the service tells of them -> what those see who watch, and what a line tells."""

import logging
import time
import zlib
from collections.abc import Callable
from typing import Any, Literal

from assay.estimators import Cascade, Decision, time_of
from assay.service import Decided
from assay.telemetry.decisions.hashing import Hashes
from assay.telemetry.decisions.record import add_request, fields_of, written
from assay.telemetry.decisions.redaction import redact
from assay.telemetry.decisions.seen import Seen

logger = logging.getLogger(__name__)

TextPolicy = Literal["hash", "redacted", "full"]
Unknown = Callable[[Cascade, str], float | None]
Note = tuple[Seen, dict[str, Any] | None]
"""A decision as those see it who watch, and what its line tells; None where there is to be no line."""

ID_LENGTH, HEAD = 32, 13
"""Characters of an identifier, and of its first part: the time and the kind."""

LOOKS = 10
LOOKS_SECONDS = 0.2
"""In so long, the share of unknown words is looked at for so many texts: it takes longer than all the rest of
a line, ten times as long without the compiled kernel, and whoever answers requests waits meanwhile."""

_new = tuple.__new__
"""Makes a named tuple in a third of the time that its class takes."""


class Recording:
    """Makes of what was decided what those see who watch, and what a line tells.

    Parameters
    ----------
    hashes
        Hashes texts and subjects; without it there are no lines.
    text
        What is kept of a text beside its hash.
    share
        Of how many decisions there are lines, from 0 to 1.
    unknown
        Returns the share of a text's words that a model does not know; for some of the texts.
    clock
        Seconds that never jump.
    """

    def __init__(
        self,
        hashes: Hashes | None,
        *,
        text: TextPolicy = "hash",
        share: float = 1.0,
        unknown: Unknown | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hashes, self._text, self._share = hashes, text, share
        self._unknown, self._clock = unknown, clock
        self._tick, self._looks, self._failed = 0, 0, False
        self._head, self._at = "", ""

    def subject(self, decided: Decided) -> str | None:
        """Return the hash of whom the texts of a request are from; None where it does not say."""
        subject = decided.subject
        return self._hashes.subject(subject) if self._hashes and subject else None

    def note(self, decided: Decided, text: str, decision: Decision, subject: str | None) -> Note:
        """Return a note of one text's decision; ``subject`` is as ``subject`` gave it for the request."""
        unknown = None if self._unknown is None else self._share_unknown(decided.cascade, text)
        seen = _new(
            Seen,
            (
                decision.id,
                decision.task,
                decision.version,
                decision.label,
                decision.confidence,
                decision.score,
                decision.threshold,
                decision.rule,
                len(text),
                unknown,
            ),
        )
        hashes, share = self._hashes, self._share
        if hashes is None or (share < 1.0 and not sampled(decision.id, share)):
            return seen, None
        hashed, kept = "", None
        if decided.keeps_texts:
            hashed = hashes.text(text)
            if self._text != "hash":
                kept = text if self._text == "full" else redact(text)
        told = fields_of(decision, self._moment(decision.id), len(text), unknown, hashed, kept)
        exchange = decided.exchange
        add_request(told, subject, exchange.request_id, exchange.key, exchange.route)
        if share < 1.0:
            told["share"] = share
        return seen, told

    def _moment(self, identifier: str) -> str:
        # Many decisions fall into one millisecond.
        if identifier[:HEAD] == self._head and len(identifier) == ID_LENGTH:
            return self._at
        at = time_of(identifier)
        if at is None:
            return written(time.time())
        self._head, self._at = identifier[:HEAD], written(at)
        return self._at

    def _share_unknown(self, cascade: Cascade, text: str) -> float | None:
        tick = int(self._clock() / LOOKS_SECONDS)
        if tick != self._tick:
            self._tick, self._looks = tick, 0
        self._looks += 1
        if self._looks > LOOKS or self._unknown is None:
            return None
        try:
            share = self._unknown(cascade, text)
        except Exception:  # a record without it is better than none
            if not self._failed:
                logger.exception("The share of unknown words cannot be told of task %s.", cascade.task.name)
            self._failed = True
            return None
        return None if share is None else round(share, 4)


def sampled(identifier: str, share: float) -> bool:
    """Return whether the decision of an id is among so large a share; always the same for the same id."""
    return zlib.crc32(identifier.encode()) < share * 2**32
