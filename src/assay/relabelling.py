"""What people said of decisions, for people: how good each version is, and rows to train on."""

import csv
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from assay.config import Task
from assay.database import Database
from assay.exceptions import ConfigError, DataError
from assay.moments import parse_moment_back
from assay.settings import Settings
from assay.telemetry import (
    Guards,
    Labelled,
    Sifted,
    Standing,
    Vote,
    read_records,
    resolve,
    sift,
    stand,
    votes,
)

COLUMNS = ("text", "label", "decision", "version", "at", "key")
ENDINGS = (".csv", ".jsonl")


@dataclass(frozen=True)
class Window:
    """From when until when decisions were made, in seconds since the epoch."""

    since: float
    until: float


def window_of(since: str, until: str, now: datetime | None = None) -> Window:
    """Return the span that two moments of the command line mean. Raises ConfigError."""
    now = now or datetime.now(UTC)
    end = parse_moment_back(until, now) if until else now
    begin = parse_moment_back(since, now)
    if begin >= end:
        raise ConfigError(
            f"--since {since!r} is not before --until {until or 'now'!r}, so there is nothing in between."
        )
    return Window(begin.timestamp(), end.timestamp())


def feedback_stats(task: Task, settings: Settings, window: Window) -> Standing:
    """Return where a task stands by what people said of its decisions in a window.

    Raises DatabaseError, LogError, MissingExtra.
    """
    database = Database(settings.people)
    resolve(database, settings.decisions)
    records = read_records(settings.decisions, since=window.since, until=window.until)
    return stand(database, task, records, since=window.since, until=window.until)


def collect(task: Task, settings: Settings, window: Window, guards: Guards) -> Sifted:
    """Return the decisions of a span that people labelled as rows to train on, and what was left out.

    Raises ConfigError where the log keeps no texts, else as ``feedback_stats``.
    """
    refuse_without_texts(settings)
    database = Database(settings.people)
    resolve(database, settings.decisions)
    chosen: dict[str, Vote] = {}
    unclear = 0
    for vote in votes(database, task.name, since=window.since, until=window.until):
        if vote.label is None:
            unclear += bool(vote.said)
        else:
            chosen[vote.decision] = vote
    rows, textless = [], 0
    for record in read_records(settings.decisions, since=window.since, until=window.until):
        if (found := chosen.pop(record.id, None)) is not None:
            textless += record.text is None
            if record.text is not None:
                rows.append(_row(found, record.text, record.subject))
    sifted = sift(rows, task.labels, guards)
    lost = {
        "as many keys say one label as another": unclear,
        "the log has no text of them": textless,
        "they have left the log": len(chosen),
    }
    sifted.dropped = {why: count for why, count in lost.items() if count} | sifted.dropped
    return sifted


def refuse_without_texts(settings: Settings) -> None:
    """Raise ConfigError, naming the setting, where the decision log keeps only hashes of texts."""
    if settings.decision_text == "hash":
        raise ConfigError(
            "The decision log keeps only hashes of texts (ASSAY_DECISION_TEXT=hash), so there is nothing to "
            "train on. Set ASSAY_DECISION_TEXT=redacted or full, for the service and here; what is decided "
            "from then on can be used."
        )


def export_feedback(
    task: Task, settings: Settings, window: Window, guards: Guards, output: Path
) -> Iterator[str]:
    """Write labelled rows to a file and yield what was written and what was not.

    Raises ConfigError for a file of another kind, DataError when no row is left, else as ``collect``.
    """
    from assay.scoring import replacing

    if output.suffix not in ENDINGS:
        raise ConfigError(
            f"{str(output)!r} is no file to write rows to; its name must end in .csv or .jsonl."
        )
    sifted = collect(task, settings, window, guards)
    if not sifted.rows:
        raise DataError("\n".join([NOTHING.format(task=task.name), *sifted.lines()]))
    with replacing(output) as stream:
        write_rows(sifted.rows, stream, output.suffix)
    counts = ", ".join(f"{label} {count:,}" for label, count in sorted(_counts(sifted.rows).items()))
    yield f"{len(sifted.rows):,} rows are in {output}: {counts}"
    yield from sifted.lines()


NOTHING = "There are no rows that feedback on {task!r} labelled in this span and that may be trained on."


def write_rows(rows: list[Labelled], stream: BinaryIO, ending: str) -> None:
    """Write rows as CSV or JSON Lines."""
    import io

    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    written = (_written(row) for row in rows)
    if ending == ".csv":
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *written])
    else:
        for values in written:
            text.write(json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n")
    text.detach()


def _written(row: Labelled) -> tuple[str, ...]:
    text, label, decision, version, at, keys = astuple(row)[: len(COLUMNS)]
    return text, label, decision, version, at, "+".join(keys)


def _row(vote: Vote, text: str, subject: str | None) -> Labelled:
    assert vote.label is not None
    return Labelled(
        text=text,
        label=vote.label,
        decision=vote.decision,
        version=vote.version,
        at=vote.at,
        keys=vote.keys,
        reviewed=bool(vote.reviewers.intersection(vote.keys)),
        subject=subject,
    )


def _counts(rows: list[Labelled]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.label] = counts.get(row.label, 0) + 1
    return counts
