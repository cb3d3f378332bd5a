"""``assay log erase`` and ``compact``: the log's files changed, and what was done told in lines."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import ConfigError
from assay.logbook import subject_hash
from assay.registry import who_of
from assay.settings import Settings
from assay.telemetry import Erased, Notes, check_folder, compact, erase, forget_decisions


def erase_subject(subject: str, settings: Settings, *, reason: str) -> tuple[Sequence[str], bool]:
    """Remove all decisions about a subject's texts; return what became of it, and whether all was searched.

    The audit log keeps who did it, why, how many, and the subject's hash; never the subject. It has an entry
    of a run that failed half-way, too. Raises ConfigError, LogError, DatabaseError, MissingExtra.
    """
    if not subject:
        raise ConfigError("The subject is empty; say whom the texts are from, as the requests said it.")
    check_folder(settings.decisions)
    hashed, people, erased = subject_hash(subject, settings), Database(settings.people), Erased()
    try:
        erase(settings.decisions, hashed, forget=partial(forget_decisions, people), erased=erased)
    except BaseException:
        # Half of it is done and no record is left to tell of that; the next run does the rest.
        if erased.ids or erased.torn:
            _record(people, settings, hashed, erased, reason, whole=False)
        raise
    _record(people, settings, hashed, erased, reason, whole=not erased.faults)
    return [*_lines(erased), *erased.faults], not erased.faults


def _record(
    people: Database, settings: Settings, hashed: str, erased: Erased, reason: str, *, whole: bool
) -> None:
    AuditLog(people).append(
        who=who_of(settings),
        action="erased",
        kind="log",
        reason=reason,
        evidence={
            **{"subject": hashed, "decisions": len(erased.ids), "files": len(erased.files)},
            **{"torn": erased.torn, "said": erased.said, "whole": whole},
        },
    )


def _lines(erased: Erased) -> Iterator[str]:
    count, files = len(erased.ids), len(erased.files)
    decisions = "decision was" if count == 1 else "decisions were"
    yield f"{count:,} {decisions} erased from {files:,} {'file' if files == 1 else 'files'}."
    if erased.torn:
        lines = "line that was" if erased.torn == 1 else "lines that were"
        yield f"{erased.torn:,} {lines} cut off went too: whose text they held cannot be told."
    if erased.said:
        yield f"{erased.said:,} {'row' if erased.said == 1 else 'rows'} of feedback on them went with them."


def compact_days(settings: Settings, notes: Notes) -> Iterator[str]:
    """Put the closed files of each day that is over together as Parquet, and yield what was done."""
    done = False
    for each in compact(settings.decisions, now=datetime.now(UTC), notes=notes):
        done = True
        files = "file" if each.files == 1 else "files"
        yield (
            f"{each.day}: {each.records:,} decisions of {each.files:,} {files} are in one, "
            f"{each.before:,} bytes -> {each.after:,}."
        )
    if not done:
        yield "There is no closed file of a day (UTC) that is over."
