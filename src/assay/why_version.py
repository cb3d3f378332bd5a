"""Which version made a decision, and who put it where it was."""

from datetime import UTC, datetime
from typing import Any

from assay.audit import AuditLog, Entry
from assay.database import Database
from assay.exceptions import AssayError
from assay.lifecycle import entry_lines, shown
from assay.loading import open_registry
from assay.registry import Tenure, tenures
from assay.settings import Settings
from assay.telemetry import Record


def tell_version(record: Record, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Return what is known of the version that decided, for programs and for people."""
    if not record.version:
        said = "the service answered from an artifact folder (ASSAY_MODELS), which has no version or history"
        return {"unavailable": said}, [f"Version: {said}."]
    registered, lines = _registered(record, settings)
    seated, more = _seated(record, settings)
    data = {"model": record.model, "number": record.version, "registered": registered, "production": seated}
    return data, [f"Version {record.version} of {record.model}:", *(f"  {line}" for line in lines + more)]


def _registered(record: Record, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    try:
        version = open_registry(settings).version(record.model, record.version)
    except AssayError as error:
        return {"unavailable": error.message}, [f"The registry does not tell of it: {error.message}"]
    now = "production" in version.aliases
    data = {
        "at": version.created_at.isoformat(),
        "digest": version.digest,
        "gate": version.gate,
        "aliases": list(version.aliases),
        "in_production": now,
    }
    still = "in production now" if now else f"not in production any more; it is {version.stage}"
    gate = {"none": "never gated"}.get(version.gate, f"gate {version.gate}")
    return data, [
        f"registered at {shown(version.created_at)}, artifact {version.digest[:12]}, {gate}",
        f"{still}",
    ]


def _seated(record: Record, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    try:
        entries, unreadable = AuditLog(Database(settings.people)).readable(record.model)
    except AssayError as error:
        said = f"Who put it into production is not known: {error.message}"
        return {"unavailable": error.message}, [said]
    moment = datetime.fromtimestamp(record.at, UTC)
    found = tenures(entries)
    now = next((each for each in reversed(found) if each.since <= moment), None)
    mine = [each for each in found if each.version == record.version and each.since <= moment]
    data: dict[str, Any] = {"at_decision": bool(now and now.version == record.version), "tenure": None}
    if not mine:
        said = "By the audit log it was not in production before this decision: a request may have named it."
        return data, [said, *unreadable]
    tenure = mine[-1]
    data["tenure"] = _told(tenure)
    until = shown(tenure.until) if tenure.until else "now"
    lines = [f"in production from {shown(tenure.since)} until {until}:", *entry_lines(tenure.entry)]
    if not data["at_decision"]:
        other = f"version {now.version} was" if now and now.version else "no version was"
        lines.append(
            f"At the decision {other} in production: a worker had not swapped yet, or a request named it."
        )
    return data, [*lines, *unreadable]


def _told(tenure: Tenure) -> dict[str, Any]:
    entry: Entry = tenure.entry
    return {
        "since": tenure.since.isoformat(),
        "until": tenure.until.isoformat() if tenure.until else None,
        "entry": entry.number,
        "who": entry.who,
        "kind": entry.kind,
        "why": entry.reason,
        "evidence": entry.evidence,
    }
