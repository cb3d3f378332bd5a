"""Entries of an audit log for tests, and a way to change them past its triggers."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

from assay.audit import AuditLog, Entry
from assay.database import Database
from tests.databases import path_of


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


def past_the_triggers(uri: str, *statements: str) -> None:
    """Run statements as somebody can who may do anything with the database."""
    if uri.startswith("sqlite"):
        with closing(sqlite3.connect(path_of(uri), isolation_level=None)) as connection:
            for trigger in ("audit_update", "audit_delete", "audit_insert"):
                connection.execute(f"DROP TRIGGER {trigger}")
            for statement in statements:
                connection.execute(statement)
        return
    with psycopg.connect(uri, autocommit=True) as server:
        server.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        for statement in statements:
            server.execute(statement)  # type: ignore[arg-type]
