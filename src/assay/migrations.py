"""The schema of the people's database, step by step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Migration:
    """A numbered step of the schema, applied in one transaction with its row in ``migrations``.

    ``needs`` is the number of the last step that an Assay must know to go on with a database that has had
    this one; None: this one itself.
    """

    number: int
    name: str
    sqlite: tuple[str, ...]
    postgresql: tuple[str, ...]
    needs: int | None = None


REFUSED = "entries of the audit log are never changed or removed"
ABORT = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
AUDIT = (
    "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)",
    """CREATE TABLE audit (
  number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, model TEXT NOT NULL,
  seat TEXT NOT NULL, "before" TEXT, "after" TEXT, reason TEXT NOT NULL, kind TEXT NOT NULL,
  evidence TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)""",
)
AUDIT_SQLITE = (
    f"CREATE TRIGGER audit_update BEFORE UPDATE ON audit {ABORT}",
    f"CREATE TRIGGER audit_delete BEFORE DELETE ON audit {ABORT}",
    # INSERT OR REPLACE removes the row that it replaces without asking the trigger above.
    "CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN NEW.number IS NOT "  # noqa: S608
    f"(SELECT coalesce(max(number), 0) + 1 FROM audit) {ABORT}",
)
AUDIT_POSTGRESQL = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$",
    "CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_table BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_refuse()",
)
LOCKS = ("CREATE TABLE locks (name TEXT PRIMARY KEY, holder TEXT NOT NULL, since TEXT NOT NULL)",)
KEYS = (
    """CREATE TABLE keys (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, rate TEXT NOT NULL,
  created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT, revoked_at TEXT)""",
)
FEEDBACK = (
    """CREATE TABLE feedback (
  decision TEXT NOT NULL, label TEXT NOT NULL, "key" TEXT NOT NULL, task TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (decision, "key", label))""",
)
JUDGED = (
    # Whether whoever gave the feedback may speak of decisions that another key asked for.
    "ALTER TABLE feedback ADD COLUMN reviewer INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX feedback_at ON feedback (at)",
    """CREATE TABLE judged (
  decision TEXT PRIMARY KEY, task TEXT NOT NULL, version TEXT NOT NULL, decided TEXT NOT NULL,
  confidence DOUBLE PRECISION NOT NULL, decided_by TEXT NOT NULL, review INTEGER NOT NULL,
  "key" TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX judged_task ON judged (task, at)",
)
# What a step needs is kept with its row, where an older Assay reads it that has never heard of the step.
NEEDS = ("ALTER TABLE migrations ADD COLUMN needs INTEGER",)
MIGRATIONS = (
    Migration(1, "audit", sqlite=AUDIT + AUDIT_SQLITE, postgresql=AUDIT + AUDIT_POSTGRESQL),
    Migration(2, "locks", sqlite=LOCKS, postgresql=LOCKS),
    Migration(3, "keys", sqlite=KEYS, postgresql=KEYS),
    Migration(4, "feedback", sqlite=FEEDBACK, postgresql=FEEDBACK),
    Migration(5, "judged", sqlite=JUDGED, postgresql=JUDGED),
    Migration(6, "needs", sqlite=NEEDS, postgresql=NEEDS),
)
"""Applied in this order; what has been released is never edited, a change is a step of its own.

A step that only adds (tables, columns that may stay empty or have a default, indexes) needs the step before
it, so that the Assay before can be gone back to: docs/decisions/migrations.md.
"""
