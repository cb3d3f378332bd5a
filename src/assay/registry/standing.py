"""Who sits where, and who sat there before, by the audit log."""

from collections.abc import Sequence

from assay.audit import Action, Entry, Seat
from assay.registry.versions import PREVIOUS, PRODUCTION, Model

PROMOTED = "assay.promoted_at"
"""Tag of a version that came to production: when it last did."""

ANCHOR = "assay.audit"
"""Tag of a version: the hash of the last entry about its move, which a log whose end was cut off lacks."""

DONE: tuple[Action, ...] = ("promoted", "edited")


def last_of(entries: Sequence[Entry], seat: Seat) -> Entry | None:
    """Return the last entry of a seat, or None."""
    return next((each for each in reversed(entries) if each.seat == seat), None)


def holder_of(entries: Sequence[Entry], seat: Seat) -> str | None:
    """Return the number of the version that sits on a seat, or None."""
    last = last_of(entries, seat)
    if last is None:
        return None
    return last.after if last.action in DONE else last.before


def served_of(entries: Sequence[Entry], model: Model) -> list[str]:
    """Return the numbers of the versions that have been in production and still exist, oldest first.

    The tag that a promotion leaves stands for promotions from before the log.
    """
    moves = [each for each in entries if each.seat == PRODUCTION and each.action in DONE]
    numbers = {number for each in moves for number in (each.before, each.after)}
    return [each.number for each in model.versions if each.number in numbers or PROMOTED in each.tags]


def previous_of(
    entries: Sequence[Entry], model: Model, production: str | None, *, before: str | None = None
) -> str | None:
    """Return the version that was in production before ``production``, of those that still exist.

    It is ``before`` where that is given, else what the log says; a log that knows of none leaves the alias
    where it is.
    """
    moves = [each for each in entries if each.seat == PRODUCTION and each.action in DONE]
    served = [before, *(number for each in reversed(moves) for number in (each.after, each.before))]
    for number in (*served, model.number(PREVIOUS)):
        if number is not None and number != production and model.version(number):
            return number
    return None
