"""Promotion and rollback: an entry of what is meant, the alias that counts, an entry that it is done."""

from collections.abc import Mapping, Sequence
from typing import Any

from assay.audit import Entry, Kind, Seat
from assay.exceptions import ArtifactError, PromotionRefused
from assay.registry.books import Books
from assay.registry.completion import abandon, anchor, complete, following
from assay.registry.fetching import check_version
from assay.registry.gating import evidence_of, refuse_ungated
from assay.registry.seats import Move, take_seat
from assay.registry.settling import settle
from assay.registry.standing import ANCHOR, DONE, last_of, served_of
from assay.registry.versions import (
    PREVIOUS,
    PRODUCTION,
    STAGING,
    Model,
    Version,
    describe,
    named,
    pick,
    read_model,
)

LONGEST_REASON = 5000


def promote(
    books: Books,
    name: str,
    reference: str,
    *,
    to: Seat,
    override: str | None,
    who: str,
    policy: Mapping[str, Any] | None,
    expected: str | None,
) -> Version:
    """Give a version a seat and return it; see ``Registry.promote``."""
    if override is not None and not 0 < len(override.strip()) <= LONGEST_REASON:
        raise PromotionRefused(
            f"An override is recorded with its reason, of 1 to {LONGEST_REASON:,} characters; "
            f"got {len(override.strip()):,}.",
            stale=False,
        )
    if expected is None:
        expected = read_model(books.store, name).number(PRODUCTION) or ""
    with books.held(name, who):
        model, entries, _ = settle(books, name, who=who)
        version = pick(books.store, model, reference)
        if model.number(to) == version.number:
            check_version(books.store, version, books.cache)
            return version
        _refuse_changed(model, entries, expected)
        if to == STAGING and model.number(PRODUCTION) == version.number:
            raise PromotionRefused(
                f"Version {version.number} of {name!r} is in production; "
                "promote another version there first.",
                version=version,
                stale=False,
            )
        if override is None:
            refuse_ungated(version, model, policy)
        check_version(books.store, version, books.cache)
        kind: Kind = "promotion" if override is None else "override"
        return _move(books, model, entries, version, seat=to, who=who, kind=kind, reason=override or "")


def rollback(books: Books, name: str, reference: str | None, *, who: str, reason: str) -> Version:
    """Bring a version back to production and return it; see ``Registry.rollback``."""
    expected = read_model(books.store, name).number(PRODUCTION) or ""
    with books.held(name, who):
        model, entries, _ = settle(books, name, who=who)
        _refuse_changed(model, entries, expected)
        served = served_of(entries, model)
        if reference is None:
            _refuse_toggling(entries, served)
        if reference is None and model.versions and model.holder(PREVIOUS) is None:
            raise PromotionRefused(
                f"{name!r} has no version that was in production before this one. {_told(served)} "
                f"It has {', '.join(map(describe, model.versions))}; name one that has been: "
                "assay rollback TASK VERSION",
                stale=False,
            )
        version = pick(books.store, model, reference or PREVIOUS)
        if version.number not in served:
            raise PromotionRefused(
                f"Version {version.number} of {name!r} has never been in production, so nothing can be "
                f"rolled back to it. {_told(served)} "
                f"Promote it instead: assay promote {version.task} {version.number}",
                version=version,
                stale=False,
            )
        _check_whole(books, version, served)
        if model.number(PRODUCTION) == version.number:
            return version
        return _move(books, model, entries, version, seat=PRODUCTION, who=who, kind="rollback", reason=reason)


def _refuse_toggling(entries: Sequence[Entry], served: Sequence[str]) -> None:
    """Raise PromotionRefused where the version before is the one that was just gone back from."""
    # Where stages were put right, nobody moved.
    moves = (each for each in reversed(entries) if each.seat == PRODUCTION and each.before != each.after)
    last = next((each for each in moves if each.action in DONE), None)
    if last is not None and last.kind == "rollback":
        raise PromotionRefused(
            f"{last.who} went back from {named(last.before)} to {named(last.after)} at "
            f"{last.at:%Y-%m-%d %H:%M:%S} UTC; going back once more would bring {named(last.before)} to "
            f"production again. {_told(served)} Name the one that you want: assay rollback TASK VERSION",
            stale=False,
        )


def _move(
    books: Books,
    model: Model,
    entries: Sequence[Entry],
    version: Version,
    *,
    seat: Seat,
    who: str,
    kind: Kind,
    reason: str,
) -> Version:
    """Say what is meant, move the alias and all that follows from it, and say that it is done."""
    intent = books.audit.append(
        who=who,
        action="promoting",
        model=model.name,
        seat=seat,
        before=model.number(seat),
        after=version.number,
        kind=kind,
        reason=reason,
        evidence=evidence_of(version),
    )
    move = Move(
        model=model.name,
        seat=seat,
        before=intent.before,
        after=version.number,
        announced={ANCHOR: intent.hash},
        rest=following(model, entries, intent),
    )
    try:
        take_seat(books.store, move)
    except PromotionRefused:
        last = last_of(books.audit.readable(model.name)[0], seat)
        # Who lost the lock finds the word of who settled this and went on; one behind it would deny theirs.
        if last is not None and last.number == intent.number:
            abandon(books, intent)
        raise
    anchor(books, complete(books, entries, intent))
    return pick(books.store, read_model(books.store, model.name), version.number)


def _check_whole(books: Books, version: Version, served: Sequence[str]) -> None:
    try:
        check_version(books.store, version, books.cache)
    except ArtifactError as error:
        told = f"{error.message} Nothing was changed. {_told(served)}"
        if len(served) > 1:
            told += f" Go back to another one with: assay rollback {version.task} VERSION"
        raise ArtifactError(told, **error.data) from error


def _refuse_changed(model: Model, entries: Sequence[Entry], expected: str) -> None:
    current = model.number(PRODUCTION) or ""
    if current == expected:
        return
    last = last_of(entries, "production")
    by = f", by {last.who} at {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else ""
    raise PromotionRefused(
        f"Production of {model.name!r} was {named(expected)} when this began and is {named(current)} "
        f"now{by}. Nothing was changed; look, gate again against what serves now, then try again.",
        expected=expected,
        holder=current,
        stale=True,
    )


def _told(served: Sequence[str]) -> str:
    return f"In production have been: {', '.join(served) or 'none'}."
