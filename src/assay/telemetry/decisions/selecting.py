"""Which decisions are looked for."""

import math
from dataclasses import dataclass

from assay.exceptions import ConfigError
from assay.telemetry.decisions.columns import Needle
from assay.telemetry.decisions.record import Record


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What a decision must be to be found; None says nothing. Raises ConfigError for what none can be."""

    task: str | None = None
    label: str | None = None
    version: str | None = None
    decided_by: str | None = None
    rule: str | None = None
    key: str | None = None
    subject: str | None = None
    """The subject's hash."""
    contains: str | None = None
    """Words of the text, in capitals or not."""
    min_score: float | None = None
    max_score: float | None = None
    review: bool = False
    """Only what was marked for review."""

    def __post_init__(self) -> None:
        for bound in (self.min_score, self.max_score):
            if bound is not None and not math.isfinite(bound):
                raise ConfigError(f"{bound} is no score; scores are numbers from 0 to 1.")
        if self.min_score is not None and self.max_score is not None and self.min_score > self.max_score:
            raise ConfigError(
                f"No score is from {self.min_score} to {self.max_score}; give the lower one as --min-score."
            )

    @property
    def needle(self) -> Needle | None:
        """What stands in the line of every decision that is found; None where nothing short does."""
        return Needle("subject", self.subject) if self.subject else None

    def fits(self, record: Record) -> bool:
        """Return whether a decision is looked for; one that a rule made has no score."""
        for name in ("task", "label", "version", "decided_by", "rule", "key", "subject"):
            wanted = getattr(self, name)
            if wanted is not None and getattr(record, name) != wanted:
                return False
        if self.review and not record.review:
            return False
        if self.contains is not None and self.contains.casefold() not in (record.text or "").casefold():
            return False
        return self._scored(record.score)

    def _scored(self, score: float | None) -> bool:
        if self.min_score is None and self.max_score is None:
            return True
        low = -math.inf if self.min_score is None else self.min_score
        high = math.inf if self.max_score is None else self.max_score
        return score is not None and low <= score <= high
