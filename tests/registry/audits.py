"""Entries of an audit log for tests."""

from typing import Any

from assay.database import Database
from assay.registry import AuditLog, Entry


def append(log: AuditLog, after: str | None = "1", **fields: Any) -> Entry:
    """Write an entry about the model Spam."""
    values = {
        **{"who": "ada", "action": "promoted", "model": "Spam", "seat": "production", "before": None},
        **{"after": after, "kind": "promotion"},
    }
    return log.append(**{**values, **fields})


def written(uri: str, count: int = 5) -> AuditLog:
    """Return a new log with some entries."""
    log = AuditLog(Database(uri))
    for number in range(1, count + 1):
        append(log, str(number), before=str(number - 1), reason=f"because {number}", evidence={"f1": 0.9})
    return log
