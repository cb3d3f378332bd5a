"""Who sat on a seat and when, read from the audit log."""

from collections.abc import Sequence
from datetime import datetime

from assay.audit import Entry, Seat
from assay.frozen import Frozen


class Tenure(Frozen):
    """A stretch of time in which one version sat on a seat, or nobody."""

    version: str | None
    since: datetime
    until: datetime | None
    """When the next one took over; None: it still sits there."""
    entry: Entry
    """The entry that completed or noticed the change."""


def tenures(entries: Sequence[Entry], seat: Seat = "production") -> list[Tenure]:
    """Return who sat on a seat of one model, oldest first, by its entries in the order of the log.

    Only completed changes count. A change dates from its intent: a crash may have kept its completion
    out of the log until the next command, while the version answered.
    """
    found: list[Tenure] = []
    begun: Entry | None = None
    for entry in entries:
        if entry.seat != seat:
            continue
        if entry.action == "promoting":
            begun = entry
        elif entry.action != "abandoned" and not (found and found[-1].version == entry.after):
            _take_over(found, entry, begun)
        if entry.action in ("promoted", "abandoned"):
            begun = None
    return found


def tenure_at(entries: Sequence[Entry], moment: datetime, seat: Seat = "production") -> Tenure | None:
    """Return who sat on a seat at a moment; None before the first entry about it."""
    return next((each for each in reversed(tenures(entries, seat)) if each.since <= moment), None)


def _take_over(found: list[Tenure], entry: Entry, begun: Entry | None) -> None:
    since = entry.at
    if begun and entry.action == "promoted" and (begun.model, begun.after) == (entry.model, entry.after):
        since = begun.at
    if found:
        since = max(since, found[-1].since)
        found[-1] = found[-1].model_copy(update={"until": since})
    found.append(Tenure(version=entry.after, since=since, until=None, entry=entry))
