"""Decisions as the service tells of them -> records of the log."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Literal

from assay.estimators import Cascade, Decision, time_of
from assay.service import Decided
from assay.telemetry.decisions.hashing import Hashes
from assay.telemetry.decisions.record import Record
from assay.telemetry.decisions.redaction import redact

logger = logging.getLogger(__name__)

TextPolicy = Literal["hash", "redacted", "full"]
Unknown = Callable[[Cascade, str], float | None]

LOOKS = 10
LOOKS_SECONDS = 0.2
"""In so long, the share of unknown words is looked at for so many texts: it takes ten times as long as all
the rest of a record, and whoever answers requests waits for the interpreter meanwhile."""


class Recording:
    """Makes records of what was decided.

    Parameters
    ----------
    hashes
        Hashes texts and subjects; without it records hold nothing of either.
    text
        What is kept of a text beside its hash.
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
        unknown: Unknown | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hashes, self._text, self._unknown, self._clock = hashes, text, unknown, clock
        self._tick, self._looks, self._failed = 0, 0, False

    def records(self, decided: Decided) -> Iterator[Record]:
        """Yield a record for each decision, in their order."""
        hashes, subject = self._hashes, decided.subject
        whose = hashes.subject(subject) if hashes and subject else None
        for text, decision in zip(decided.texts, decided.decisions, strict=True):
            yield self._record(decided, text, decision, whose)

    def _record(self, decided: Decided, text: str, decision: Decision, whose: str | None) -> Record:
        exchange = decided.exchange
        keeps = self._hashes if decided.keeps_texts else None
        at = time_of(decision.id)
        return Record(
            at=time.time() if at is None else at,
            id=decision.id,
            task=decision.task,
            model=decision.model,
            version=decision.version,
            label=decision.label,
            confidence=decision.confidence,
            score=decision.score,
            threshold=decision.threshold,
            decided_by=decision.decided_by,
            rule=decision.rule,
            review=decision.review,
            characters=len(text),
            unknown=self._share_unknown(decided.cascade, text) if self._unknown else None,
            text_hash=keeps.text(text) if keeps else "",
            text=self._kept(text) if keeps and self._text != "hash" else None,
            subject=whose,
            request_id=exchange.request_id,
            key=exchange.key,
            route=exchange.route,
        )

    def _kept(self, text: str) -> str:
        return text if self._text == "full" else redact(text)

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
