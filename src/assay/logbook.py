"""``assay log stats``, ``query`` and ``export``: logged decisions, told in lines or written to a file."""

import argparse
import heapq
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from assay.config import find_task
from assay.evaluation import text_table
from assay.exceptions import ConfigError
from assay.lifecycle import printable, shown
from assay.moments import parse_moment_back
from assay.settings import Settings
from assay.telemetry import (
    LogStatistics,
    Notes,
    Record,
    Sought,
    TaskTally,
    export_records,
    hash_of,
    read_key,
    read_records,
    tally_records,
)

MOST_SHOWN = 100_000
"""How many decisions a query holds in memory at most."""
LONGEST_SHOWN = 60
"""Characters of a text in a table."""
MOST_VALUES = 12
"""How many values of a field are counted one by one for people."""
PARTS = {
    "version": "version",
    "label": "label",
    "decided_by": "decided by",
    "rule": "rule",
    "key": "key",
}


class Span(NamedTuple):
    """The decisions from one moment on and before another."""

    since: datetime
    until: datetime

    @classmethod
    def meant(cls, since: str, until: str, now: datetime | None = None) -> Self:
        """Return the span that two options mean, an empty ``until`` now. Raises ConfigError."""
        now = now or datetime.now(UTC)
        first = parse_moment_back(since, now)
        last = parse_moment_back(until, now) if until else now
        if first >= last:
            raise ConfigError(
                f"--since {since} is {shown(first)}, which is not before --until, {shown(last)}. "
                "Give the earlier one as --since."
            )
        return cls(first, last)

    def __str__(self) -> str:
        return f"from {shown(self.since)} until {shown(self.until)}"


def sought_meant(options: argparse.Namespace, settings: Settings) -> Sought:
    """Return which decisions the options of a command mean.

    Raises ConfigError, also where texts are asked for and none are kept; LogError where a subject is asked
    for and the key of the hashes is not there.
    """
    if options.contains is not None and settings.decision_text == "hash":
        raise ConfigError(
            "--contains looks into texts, and the decision log keeps none: ASSAY_DECISION_TEXT is 'hash'. "
            "With redacted or full, it keeps those of decisions from then on."
        )
    subject = options.subject
    return Sought(
        task=task_meant(options.task, settings),
        label=options.label,
        version=options.version,
        decided_by=options.decided_by,
        rule=options.rule,
        key=options.key,
        subject=None if subject is None else subject_hash(subject, settings),
        contains=options.contains,
        min_score=options.min_score,
        max_score=options.max_score,
        review=options.review,
    )


def task_meant(reference: str | None, settings: Settings) -> str | None:
    """Return the name of a task that a name or a task file's path means."""
    if reference is None or not reference.endswith(".toml"):
        return reference
    return find_task(reference, settings.tasks).name


def subject_hash(subject: str, settings: Settings) -> str:
    """Return what the log has in a subject's place. Raises ConfigError, LogError."""
    try:
        return hash_of(read_key(settings.decisions, settings.decision_key), subject)
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"The subject {subject!r} is not valid Unicode; no request can have had it."
        ) from error


def records_in(settings: Settings, span: Span, sought: Sought, notes: Notes) -> Iterator[Record]:
    """Yield the records of a span that are looked for. Raises LogError, MissingExtra."""
    found = read_records(
        settings.decisions,
        since=span.since.timestamp(),
        until=span.until.timestamp(),
        needle=sought.needle,
        notes=notes,
    )
    return (record for record in found if sought.fits(record))


def show_statistics(
    settings: Settings, span: Span, *, task: str | None, as_json: bool, notes: Notes
) -> Iterator[str]:
    """Yield counts of the decisions of a span, by task, for people or as one line of JSON."""
    sought = Sought(task=task_meant(task, settings))
    found = tally_records(records_in(settings, span, sought, notes))
    if as_json:
        yield json.dumps(
            {
                **{"since": span.since.isoformat(), "until": span.until.isoformat(), **found.to_dict()},
                **{"files": notes.files, "bytes": notes.bytes, "torn": notes.torn},
            }
        )
        return
    yield f"Decisions {span}: {found.decisions:,}"
    yield from sampling_lines(found)
    for name, tally in sorted(found.tasks.items()):
        yield from task_lines(printable(name), tally)
    yield f"Read {notes.files:,} {'file' if notes.files == 1 else 'files'} of {notes.bytes:,} bytes."


def sampling_lines(found: LogStatistics) -> Iterator[str]:
    """Yield how counts come about where not every decision was logged."""
    if found.sampled:
        yield (
            f"{found.logged:,} of them are in the log: at times only a share was logged "
            f"(ASSAY_DECISION_SHARE, down to {found.lowest_share:.3g}). Each counts for one over its share: "
            "counts are estimates."
        )


def task_lines(name: str, tally: TaskTally) -> Iterator[str]:
    """Yield the counts of one task for people."""
    told = tally.to_dict()
    total = told["decisions"]
    yield f"{name}: {total:,} decisions"
    for part, heading in PARTS.items():
        counts: dict[str, int] = told[part]
        if not counts or set(counts) == {""}:
            continue
        each = [
            f"{printable(value) or '(none)'} {count:,} ({count / max(total, 1):.1%})"
            for value, count in list(counts.items())[:MOST_VALUES]
        ]
        more = [f"and {len(counts) - MOST_VALUES:,} more"] if len(counts) > MOST_VALUES else []
        yield f"  {heading:11} {', '.join(each + more)}"
    yield f"  {'review':11} {told['review']:,} ({told['review_share']:.1%})"
    means = f"{told['mean_confidence']:.4f} on average; {told['mean_characters']:,.0f} characters a text"
    yield f"  {'confidence':11} {means}"
    if told["scored"]:
        yield f"  {'scores':11} {' '.join(f'{count:,}' for count in told['scores'])}  in tenths from 0 to 1"
        yield f"  {'deciles':11} {' '.join(f'{score:.3f}' for score in told['score_deciles'])}"


def show_records(
    settings: Settings, span: Span, sought: Sought, *, limit: int, as_json: bool, notes: Notes
) -> Iterator[str]:
    """Yield the newest decisions of a span that are looked for, newest first, as a table or JSON Lines.

    Raises ConfigError for a limit that is none.
    """
    if not 1 <= limit <= MOST_SHOWN:
        raise ConfigError(
            f"--limit {limit} is not from 1 to {MOST_SHOWN:,}. More decisions go to a file: assay log export."
        )
    newest: list[tuple[float, str, int, Record]] = []
    for number, record in enumerate(records_in(settings, span, sought, notes)):
        entry = (record.at, record.id, number, record)
        if len(newest) < limit:
            heapq.heappush(newest, entry)
        else:
            heapq.heappushpop(newest, entry)
    found = [record for *_, record in sorted(newest, key=lambda entry: entry[:3], reverse=True)]
    if as_json:
        yield from (record.line().decode().rstrip("\n") for record in found)
    elif not found:
        yield f"No decision {span} is like this."
    else:
        header = ("decided (UTC)", "task", "version", "label", "score", "by", "key", "id", "text")
        yield from text_table(header, [row_of(record) for record in found], "llrlrllll")


def row_of(record: Record) -> tuple[str, ...]:
    """Return a decision as a row of a table."""
    moment = datetime.fromtimestamp(record.at, UTC)
    score = "-" if record.score is None else f"{record.score:.4f}"
    by = f"rule {record.rule}" if record.rule else record.decided_by
    text = record.text or ""
    cut = f"{text[:LONGEST_SHOWN]}..." if len(text) > LONGEST_SHOWN else text
    label = f"{record.label} (review)" if record.review else record.label
    cells = (record.task, record.version or "-", label, score, by, record.key or "-", record.id, cut)
    return f"{moment:%Y-%m-%d %H:%M:%S}", *map(printable, cells)


def write_records(settings: Settings, span: Span, sought: Sought, output: Path, *, notes: Notes) -> str:
    """Write the decisions of a span that are looked for to a file, and return a sentence about it."""
    count = export_records(records_in(settings, span, sought, notes), output)
    return f"{count:,} decisions {span} are in {output}."
