"""Which version sits where, and who put it there: promote, roll back, list, look back, verify."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assay.audit import AuditLog, Entry, Seat
from assay.config import find_task
from assay.database import Database
from assay.exceptions import DatabaseError, PromotionRefused, RegistryError
from assay.loading import has_file, open_registry, registered_name
from assay.moments import parse_moment
from assay.progress import Progress
from assay.registry import Registry, Version, tenure_at, who_of
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.gate import GateDecision


@dataclass(frozen=True)
class Promotion:
    """What became of a promotion: the version, and the gate's decision where it had to be made anew."""

    version: Version
    seat: Seat
    promoted: bool
    gate: "GateDecision | None" = None
    already: bool = False
    """Whether it had the seat before, so that nothing was written."""

    def lines(self) -> Iterator[str]:
        """Yield the outcome for people."""
        if self.gate:
            yield from self.gate.lines()
        name = f"{self.version.model} version {self.version.number}"
        if self.promoted:
            yield f"{name} is {self.seat} already." if self.already else f"{name} is now {self.seat}."
        else:
            yield f"{name} was not promoted; {self.seat} has not changed."


def promote_version(
    reference: str, version: str, settings: Settings, *, to: Seat, override: str | None, progress: Progress
) -> Promotion:
    """Give a version a seat, gating it again first where its decision is not about what is current.

    ``reference`` is a task's name or path. The gate's policy is that of the task's file, where there is one.
    Raises PromotionRefused, VersionNotFound, ArtifactError, DatabaseError; DataError when it has to be gated
    again and the rows cannot be read.
    """
    registry, model, who = open_registry(settings), registered_name(reference, settings), who_of(settings)
    say_settled(registry, model, who, progress)
    policy = policy_of(reference, settings)
    number, seen = registry.version(model, version).number, seat_holder(registry, model)
    already = seat_holder(registry, model, to) == number
    try:
        promoted = registry.promote(
            model, number, to=to, override=override, who=who, policy=policy, expected=seen
        )
        return Promotion(promoted, to, promoted=True, already=already)
    except PromotionRefused as refused:
        if override is not None or not is_stale(refused):
            raise
        progress.say(f"  {refused.message.partition('. ')[0]}. It is gated again.")
    # Imported where it is needed: going back must not wait for what evaluates.
    from assay.judging import gate_version
    from assay.taskfiles import task_of

    gated, gate = gate_version(task_of(reference, settings, columns={}), number, settings, progress=progress)
    if not gate.passed:
        return Promotion(gated, to, promoted=False, gate=gate)
    seen = gate.champion_version or ""
    promoted = registry.promote(model, number, to=to, who=who, policy=policy, expected=seen)
    return Promotion(promoted, to, promoted=True, gate=gate)


def policy_of(reference: str, settings: Settings) -> dict[str, Any] | None:
    """Return what a task's file asks of a version today, None where there is no file."""
    from assay.gate import terms_of

    if not has_file(reference, settings):
        return None
    task = find_task(reference, settings.tasks)
    return terms_of(task.gate, task.must_pass)


def is_stale(refused: PromotionRefused) -> bool:
    """Return whether a version was refused because its gate decision is of another day.

    One without any decision is gated by a person first, who says on which rows; and who was slower than
    somebody else's promotion is told so.
    """
    version = refused.data.get("version")
    gated = isinstance(version, Version) and version.gate != "none"
    return gated and refused.data["stale"] and "expected" not in refused.data


def roll_back(
    reference: str, version: str | None, settings: Settings, *, reason: str, progress: Progress
) -> str:
    """Bring a version that was in production back, by default the one before; return what became of it."""
    registry, model, who = open_registry(settings), registered_name(reference, settings), who_of(settings)
    say_settled(registry, model, who, progress)
    before = seat_holder(registry, model)
    number = registry.rollback(model, version, who=who, reason=reason).number
    return f"{model} version {number} is production {'already' if number == before else 'again'}."


def list_versions(reference: str, settings: Settings, *, progress: Progress) -> Iterator[str]:
    """Yield the versions of a task as a table; what was out of step is put right and said first."""
    registry, model = open_registry(settings), registered_name(reference, settings)
    say_settled(registry, model, who_of(settings), progress)
    versions = registry.versions(model)
    empty = f"{model} has no versions yet. Train one: assay train {reference}"
    yield "   #  stage       gate     digest        registered        aliases" if versions else empty
    for each in versions:
        aliases = ", ".join(each.aliases) or "-"
        state = f"{each.stage:10}  {each.gate:7}  {each.digest[:12]}  {each.created_at:%Y-%m-%d %H:%M}"
        yield f"{each.number:>4}  {state}  {aliases}"


def show_history(
    reference: str, settings: Settings, *, at: str | None, seat: Seat | None, progress: Progress
) -> Iterator[str]:
    """Yield every change of a task's seats, or who sat on one at a moment, who put it there, why, on what.

    Without a ``seat`` the changes are those of both, and the moment is one of production.
    """
    registry, model = open_registry(settings), registered_name(reference, settings)
    say_settled(registry, model, who_of(settings), progress)
    entries = [each for each in registry.history(model) if seat in (None, each.seat)]
    seat = seat or "production"
    if at is None:
        yield from (line for entry in without_settled(entries) for line in entry_lines(entry))
        if not entries:
            yield f"Nothing was promoted yet of {model}."
        return
    moment = parse_moment(at)
    if moment > (now := datetime.now(UTC)):
        yield f"{shown(moment)} is still to come; it is {shown(now)}, and this is what answers now."
    tenure = tenure_at(entries, moment, seat)
    if tenure is None or tenure.version is None:
        first = f" The first entry is of {shown(entries[0].at)}." if entries else ""
        yield f"At {shown(moment)} no version of {model} was in {seat}, by the audit log.{first}"
        return
    until = shown(tenure.until) if tenure.until else "now"
    yield f"At {shown(moment)} version {tenure.version} of {model} was in {seat}."
    yield f"It was there from {shown(tenure.since)} until {until}:"
    yield from entry_lines(tenure.entry)


def without_settled(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries without those that say what was meant where a later one says what became of it."""
    for number, entry in enumerate(entries):
        later = (each for each in entries[number + 1 :] if each.seat == entry.seat)
        if entry.action != "promoting" or next(later, None) is None:
            yield entry


def entry_lines(entry: Entry) -> Iterator[str]:
    """Yield one entry of the audit log for people: what changed, who did it, why, on what evidence."""
    what = entry.seat or printable(str(entry.evidence.get("name", entry.model)))
    move = f"{what} {entry.before or '-'} -> {entry.after or '-'}".lstrip()
    by = f"{entry.kind} by {printable(entry.who)}"
    yield f"#{entry.number}  {shown(entry.at)}  {entry.action:9}  {move}  {by}"
    if entry.reason:
        yield f"      why: {printable(entry.reason)}"
    if entry.action not in ("promoting", "abandoned") and (told := evidence(entry)):
        yield f"      evidence: {told}"


def evidence(entry: Entry) -> str:
    """Return what a change rested on: the gate's decision, the rows, and what it was compared with."""
    found = {
        key.removeprefix("assay.gate.").removeprefix("assay."): value for key, value in entry.evidence.items()
    }
    parts = []
    if outcome := found.get("gate"):
        against = f" against version {found['champion']}" if found.get("champion") else ""
        on = f" on the rows {str(found['rows'])[:12]}" if found.get("rows") else ""
        when = f" at {found['at']}" if found.get("at") else ""
        parts.append(f"gate {outcome}{against}{on}{when}")
    if entry.kind == "key":
        scopes, expires = found.get("scopes"), found.get("expires")
        parts.append(f"scopes {', '.join(map(str, scopes)) if isinstance(scopes, list) else '-'}")
        parts.append(f"rate {found.get('rate') or '-'}")
        parts.append(f"expires {expires or 'never'}")
    if entry.kind == "log":
        parts.append(f"{found.get('decisions')} decisions of {found.get('files')} files")
        parts.append(f"{found.get('said')} rows of feedback, subject {found.get('subject')}")
    if digest := found.get("digest"):
        parts.append(f"artifact {str(digest)[:12]}")
    if noticed := found.get("noticed_by"):
        parts.append(f"noticed by {noticed}")
    if clock := found.get("clock"):
        parts.append(f"the clock stood at {clock}, before the entry above")
    return "; ".join(parts)


def show_audit(settings: Settings) -> Iterator[str]:
    """Yield every entry of the audit log, of seats with their model, oldest first."""
    entries, unreadable = AuditLog(Database(settings.people)).readable()
    for entry in entries:
        first, *more = entry_lines(entry)
        yield f"{first}  of {printable(entry.model)}" if entry.seat else first
        yield from more
    yield from unreadable
    if not entries and not unreadable:
        yield "Nothing was written into the audit log yet."


def verify_audit(settings: Settings) -> tuple[bool, Sequence[str]]:
    """Return whether the audit log is whole, and what was found, a line each."""
    found = open_registry(settings).verify()
    return not found.faults, found.lines()


def say_settled(registry: Registry, model: str, who: str, progress: Progress) -> None:
    """Put right what is out of step with the seats, and say what it was.

    While somebody else is promoting there is nothing to put right, and who may only read cannot: that is said
    and the command goes on.
    """
    try:
        for line in registry.settle(model, who=who):
            progress.say(line)
    except PromotionRefused as refused:
        holder = refused.data.get("holder", "Somebody else")
        progress.say(f"{holder} is moving a version of {model!r} now; what follows may be from before that.")
    except DatabaseError as error:
        progress.say(error.message)
    except RegistryError as error:
        registry.versions(model)  # one that cannot be read either says so itself
        progress.say(error.message)


def seat_holder(registry: Registry, model: str, seat: Seat = "production") -> str:
    """Return the number of the version that has a seat, empty where there is none."""
    return next((each.number for each in registry.versions(model) if seat in each.aliases), "")


def printable(text: str) -> str:
    """Return a text on one line, its control characters escaped: none may pass for another entry."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def shown(moment: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
