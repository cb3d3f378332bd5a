"""What is out of step with the seats: finished, recorded and put right by the next command."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assay.audit import Entry, Seat
from assay.registry.books import Books
from assay.registry.changes import Changes, changes_to
from assay.registry.completion import abandon, anchor, complete, following
from assay.registry.seats import put_right
from assay.registry.standing import ANCHOR, holder_of, last_of, previous_of
from assay.registry.versions import PRODUCTION, STAGING, Model, named, read_model

SEATS: tuple[Seat, ...] = ("production", "staging")
OUTSIDE = "unknown (outside Assay)"


class Settled(NamedTuple):
    """A model and its entries in the audit log, in step; ``said`` is what was not, a sentence each."""

    model: Model
    entries: list[Entry]
    said: list[str]


def settle(books: Books, name: str, *, who: str) -> Settled:
    """Bring a model, its audit log and its stages in step, and return them with what was found.

    A move that was cut off is completed or abandoned, by where the alias is. A seat that changed hands
    outside Assay keeps its new holder, and the log says so. Stages and the alias ``previous`` follow the
    seats. Entries that were damaged are told and left out. The caller holds the lock of the model.
    """
    model, (entries, said) = read_model(books.store, name), books.audit.readable(name)
    for step in (_finish_moves, _record_edits, _put_in_step):
        if found := list(step(books, model, entries, who)):
            model, (entries, _) = read_model(books.store, name), books.audit.readable(name)
            said += found
    return Settled(model, entries, said)


def is_in_step(model: Model, entries: Sequence[Entry]) -> bool:
    """Return whether the seats are as the log says, and what follows from them is as it should be."""
    for seat in SEATS:
        last = last_of(entries, seat)
        if (last and last.action == "promoting") or holder_of(entries, seat) != model.number(seat):
            return False
    return not _lacking(model, entries)


def _finish_moves(books: Books, model: Model, entries: Sequence[Entry], who: str) -> Iterator[str]:
    for seat in SEATS:
        last = last_of(entries, seat)
        if last is None or last.action != "promoting":
            continue
        move = (
            f"The move of version {last.after} of {model.name!r} to {seat}, begun by {last.who} at {last.at}"
        )
        if model.number(seat) == last.after:
            put_right(books.store, model.name, following(model, entries, last))
            done, version = complete(books, entries, last, settled_by=who), model.version(last.after or "")
            # Another anchor than the intent's tells of a log whose end was cut off; it has to stay.
            if version and version.tags.get(ANCHOR) == last.hash:
                anchor(books, done)
            yield f"{move}, was cut off after it had taken place: it is completed."
        else:
            abandon(books, last, settled_by=who)
            yield f"{move}, was cut off before it took place: it is marked as abandoned."


def _record_edits(books: Books, model: Model, entries: Sequence[Entry], who: str) -> Iterator[str]:
    for seat in SEATS:
        before, after = holder_of(entries, seat), model.number(seat)
        if before == after:
            continue
        books.audit.append(
            who=OUTSIDE,
            action="edited",
            model=model.name,
            seat=seat,
            before=before,
            after=after,
            kind="edit",
            reason="" if last_of(entries, seat) else "The log had no word of this seat before.",
            evidence={"noticed_by": who},
        )
        yield _told_edit(model, seat, before, after)


def _told_edit(model: Model, seat: Seat, before: str | None, after: str | None) -> str:
    told = (
        f"{seat.capitalize()} of {model.name!r} is {named(after)}; by the audit log it was {named(before)}. "
        "It was changed outside Assay, or before the log began; this is recorded."
    )
    task = next((each.task for each in model.versions if each.task), "")
    if seat == PRODUCTION and before and model.version(before):
        told += f" Take it back with: assay rollback {task} {before}"
    return told


def _put_in_step(books: Books, model: Model, entries: Sequence[Entry], who: str) -> Iterator[str]:
    production, changes = model.number(PRODUCTION), _lacking(model, entries)
    if not changes:
        return
    told = [*_told_aliases(model, changes), *_told_stages(model, changes)]
    books.audit.append(
        who=who,
        action="edited",
        model=model.name,
        seat=PRODUCTION,
        before=production,
        after=production,
        kind="edit",
        # Written before it is done, and once more where it could not be: it says no more than that.
        reason="Stages and the alias previous follow the seats: to be put right.",
        evidence={"put_right": list(told)},
    )
    put_right(books.store, model.name, changes)
    yield from told


def _lacking(model: Model, entries: Sequence[Entry]) -> Changes:
    production, staging = model.number(PRODUCTION), model.number(STAGING)
    previous = previous_of(entries, model, production)
    return changes_to(model, production=production, staging=staging, previous=previous)


def _told_aliases(model: Model, changes: Changes) -> Iterator[str]:
    for alias, number in changes.aliases.items():
        was, now = model.number(alias), f"with version {number}" if number else "removed"
        where = f"with version {was}" if was else "missing"
        yield f"The alias {alias!r} of {model.name!r} was {where}; it follows production and is {now}."


def _told_stages(model: Model, changes: Changes) -> Iterator[str]:
    for number, stage in changes.stages.items():
        found = model.version(number)
        was = found.stage if found else "gone"
        yield (
            f"The stage of version {number} of {model.name!r} was {was}; "
            f"it follows the aliases and is {stage}."
        )
