"""What was decided together, as the decision log and the watch on drift take it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from assay.estimators import Cascade, Decision
from assay.service.exchange import Exchange


class Decided(NamedTuple):
    """Texts of one request, or some rows of its file, with their decisions in the same order."""

    cascade: Cascade
    texts: Sequence[str]
    decisions: Sequence[Decision]
    exchange: Exchange
    """The request; its route is known when it has been answered."""
    subject: str | None = None
    """Whom the texts are from, in the caller's own terms."""
    keeps_texts: bool = True
    """False where the caller asked that its texts are not kept in any form."""


class DecisionSink(Protocol):
    """Where the service tells what it decided; ``telemetry.DecisionLog`` is one."""

    def write(self, decided: Decided) -> None:
        """Take note of decisions that are about to be answered; never waits."""
