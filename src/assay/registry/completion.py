"""How a move ends: what follows from it in the store, and its last entry in the audit log."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import JsonValue

from assay.audit import Action, Entry
from assay.exceptions import DatabaseError, RegistryError
from assay.registry.books import Books
from assay.registry.changes import Changes, changes_to
from assay.registry.seats import put_right
from assay.registry.standing import ANCHOR, PROMOTED, holder_of, previous_of
from assay.registry.versions import PRODUCTION, STAGING, Model


def following(model: Model, entries: Sequence[Entry], intent: Entry) -> Changes:
    """Return what a model lacks when the alias of an intent's seat has moved, that alias apart.

    Production is left for ``previous``, staging for production; stages follow, and the version's tags say
    when it came to production, and by which override.
    """
    production, staging = model.number(PRODUCTION), model.number(STAGING)
    before, tags = None, {"assay.override": intent.reason} if intent.kind == "override" else {}
    if intent.seat == PRODUCTION:
        production, before = intent.after, intent.before
        staging = None if staging == production else staging
        tags[PROMOTED] = intent.at.isoformat(timespec="seconds")
    else:
        staging = intent.after
    previous = previous_of(entries, model, production, before=before)
    changes = changes_to(model, production=production, staging=staging, previous=previous)
    others = {alias: number for alias, number in changes.aliases.items() if alias != intent.seat}
    return replace(changes, aliases=others, tags={intent.after: tags} if intent.after and tags else {})


def complete(books: Books, entries: Sequence[Entry], intent: Entry, *, settled_by: str = "") -> Entry:
    """Write that a version has its seat, and that it left the other one; return the last entry of that.

    Raises DatabaseError.
    """
    try:
        if intent.seat == PRODUCTION and intent.after == holder_of(entries, STAGING):
            reason = "It went on to production."
            _end(books, intent.model_copy(update=_leaving(intent, reason)), "promoted", {}, settled_by)
        return _end(books, intent, "promoted", intent.evidence, settled_by)
    except DatabaseError as error:
        raise DatabaseError(
            f"{error.message} Version {intent.after} of {intent.model!r} is in {intent.seat}; "
            "the next command writes the entry that is missing.",
            **error.data,
        ) from error


def anchor(books: Books, done: Entry) -> None:
    """Keep the hash of a completion with the version that moved, where that of the intent was.

    Raises RegistryUnavailable, RegistryError.
    """
    if done.after is None:
        return
    try:
        put_right(books.store, done.model, Changes(tags={done.after: {ANCHOR: done.hash}}))
    except RegistryError as error:
        told = f"{error.message} Version {done.after} is in {done.seat}, and the audit log has it."
        raise type(error)(told, **error.data) from error


def abandon(books: Books, intent: Entry, *, settled_by: str = "") -> None:
    """Write that a move did not take place. Raises DatabaseError."""
    _end(books, intent, "abandoned", {}, settled_by)


def _leaving(intent: Entry, reason: str) -> dict[str, str | None]:
    return {"seat": STAGING, "before": intent.after, "after": None, "reason": reason}


def _end(
    books: Books, intent: Entry, action: Action, evidence: dict[str, JsonValue], settled_by: str
) -> Entry:
    settled: dict[str, JsonValue] = {"settled_by": settled_by} if settled_by else {}
    return books.audit.append(
        who=intent.who,
        action=action,
        model=intent.model,
        seat=intent.seat,
        before=intent.before,
        after=intent.after,
        kind=intent.kind,
        reason=intent.reason,
        evidence={**evidence, "intent": intent.number, **settled},
    )
