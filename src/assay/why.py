"""``assay why``: everything about one decision, for whoever has to answer for it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assay.database import Database
from assay.exceptions import AssayError, ConfigError, LogError
from assay.lifecycle import printable, shown
from assay.settings import Settings
from assay.telemetry import Notes, Record, find_record, moment_of, span_of
from assay.why_text import tell_text
from assay.why_version import tell_version

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Told:
    """One part of the answer: for programs, and for people."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def explain_decision(identifier: str, settings: Settings, *, as_json: bool = False) -> Iterator[str]:
    """Yield everything about one decision, for people or as one line of JSON.

    What is gone (the registry, the version, the database) is named, and the rest told. Raises ConfigError for
    what is no id, LogError for a decision that is not in the log, saying what may be the reason.
    """
    wanted = identifier.strip().lower().replace("-", "")
    if not _ID.fullmatch(wanted):
        raise ConfigError(
            f"{identifier!r} is no decision's id. An id has 32 hexadecimal digits, as answers and `assay log "
            "query` show it."
        )
    notes = Notes()
    record = find_record(settings.decisions, wanted, notes=notes)
    if record is None:
        raise LogError(not_found(wanted, settings, notes), id=wanted)
    parts = {
        "decision": tell_decision(record),
        "version": Told(*tell_version(record, settings)),
        "text": Told(*tell_text(record, settings)),
        "feedback": Told(*tell_feedback(record, settings)),
    }
    if as_json:
        yield json.dumps({name: part.data for name, part in parts.items()})
        return
    for part in parts.values():
        yield from part.lines


def tell_decision(record: Record) -> Told:
    """Return what the log itself has of a decision."""
    data: dict[str, Any] = {name: getattr(record, name) for name in type(record).__slots__}
    data["at"] = moment_of(record)
    data["distance"] = distance = None if None in (record.score, record.threshold) else _distance(record)
    when = shown(datetime.fromtimestamp(record.at, UTC))
    lines = [
        f"Decision {record.id} of {when}",
        f"  {printable(record.task)}: {printable(record.label)}, confidence {record.confidence:.4f}",
    ]
    if record.rule is not None:
        lines.append(f"  decided by the rule {printable(record.rule)}; the model was not asked")
    elif distance is not None:
        side = "over" if distance >= 0 else "under"
        where = f"{abs(distance):.4f} {side} the threshold {record.threshold:.6g}"
        lines.append(f"  decided by the {record.decided_by}: score {record.score:.4f}, {where}")
    elif record.score is not None:
        lines.append(f"  decided by the {record.decided_by}: score {record.score:.4f} of the positive label")
    inside = "inside the review band: a person should look" if record.review else "not marked for review"
    lines.append(f"  {inside}")
    unknown = (
        "" if record.unknown is None else f", {record.unknown:.0%} of its first words unknown to the model"
    )
    lines.append(f"  text of {record.characters:,} characters{unknown}")
    asked = f"by the key {printable(record.key)}" if record.key else "without a key"
    route = f" on {printable(record.route)}" if record.route else ""
    lines.append(f"  request {printable(record.request_id) or '(not known)'} {asked}{route}")
    if record.share < 1:
        lines.append(f"  logged while a share of {record.share:.3g} of decisions was")
    return Told(data, lines)


def _distance(record: Record) -> float:
    return float(record.score or 0.0) - float(record.threshold or 0.0)


def tell_feedback(record: Record, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Return what people said of a decision."""
    query = 'SELECT label, "key", at, reviewer FROM feedback WHERE decision = %s ORDER BY at'
    try:
        with Database(settings.people).reading() as connection:
            rows = connection.execute(query, [record.id]).fetchall()
            judged = connection.execute(
                "SELECT count(*) FROM judged WHERE decision = %s", [record.id]
            ).fetchall()
    except AssayError as error:
        return {"unavailable": error.message}, [f"Feedback: not known. {error.message}"]
    said = [dict(zip(("label", "key", "at", "reviewer"), row, strict=True)) for row in rows]
    data = {
        "said": [{**each, "reviewer": bool(each["reviewer"])} for each in said],
        "judged": judged[0][0] > 0,
    }
    if not said:
        return data, ["Feedback: none was given."]
    return data, ["Feedback:", *(f"  {_said(each, record.label)}" for each in said)]


def _said(row: Mapping[str, Any], label: str) -> str:
    agrees = "agrees" if row["label"] == label else "disagrees"
    who = printable(row["key"]) if row["key"] else "somebody without a key"
    reviewer = ", a reviewer," if row["reviewer"] else ""
    return f"{row['at']}  {who}{reviewer} {agrees}: {printable(row['label'])}"


def not_found(identifier: str, settings: Settings, notes: Notes) -> str:
    """Return why a decision may not be in the log, with the span that the log covers."""
    from assay.estimators import time_of

    folder, span, made = settings.decisions, span_of(settings.decisions), time_of(identifier)
    covered, reasons = "It is empty.", []
    if span:
        first, last = (shown(datetime.fromtimestamp(each, UTC)) for each in span)
        covered = f"It covers {first} until {last}."
    age = f"it is older than ASSAY_DECISION_DAYS ({settings.decision_days:g}), after which files are deleted"
    if made is not None and span and made >= span.first:
        age = "its subject was erased (assay log erase)"
    reasons.append(age)
    if settings.decision_share < 1:
        reasons.append(
            f"it is among those that are not logged (ASSAY_DECISION_SHARE={settings.decision_share:g})"
        )
    else:
        reasons.append("it was made while only a share was logged (ASSAY_DECISION_SHARE)")
    reasons += [
        "it came when the log could not be written, or just before its process was killed: the service's "
        "metrics count what was dropped",
        "another service has it, which keeps its log in another folder (ASSAY_DECISION_FOLDER)",
    ]
    of = "" if made is None else f", made at {shown(datetime.fromtimestamp(made, UTC))} by its id,"
    unread = f" {' '.join(notes.faults)}" if notes.faults else ""
    return (
        f"The decision {identifier}{of} is not in the decision log in {str(folder)!r}. {covered}{unread} "
        f"Maybe {'; or '.join(reasons)}."
    )
