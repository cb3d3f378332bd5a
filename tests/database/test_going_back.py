"""An older Assay goes on with a database that a newer one has only added to, and refuses any other."""

import re
from datetime import timedelta

import pytest

from assay.access import KeyBook
from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import DatabaseError
from assay.migrations import MIGRATIONS, Migration
from assay.telemetry import Feedback
from tests.contracts.sources import SOURCE
from tests.databases import add, applied, hold, names, newer

TABLES = ("migrations", "audit", "locks", "keys", "feedback", "judged")
LAST = MIGRATIONS[-1].number
DECISION = "1b4f0c4cf0e84d6c8a5b0c9d2f3e7a61"
TAKES_AWAY = ("ALTER TABLE feedback RENAME COLUMN label TO said",)
ADDING = re.compile(
    r"CREATE TABLE \w+ \(.*\)|CREATE INDEX \w+ ON .*"
    r"|ALTER TABLE \w+ ADD COLUMN (?!.*NOT NULL(?!.*DEFAULT)).*",
    re.DOTALL,
)


def step(number: int, *statements: str, needs: int | None = None) -> Migration:
    """Return a step that this Assay does not know."""
    return Migration(number, f"step {number}", sqlite=statements, postgresql=statements, needs=needs)


GROWN = (
    *(f"ALTER TABLE {table} ADD COLUMN later TEXT NOT NULL DEFAULT 'none'" for table in TABLES),
    "CREATE TABLE purposes (name TEXT PRIMARY KEY)",
    "CREATE INDEX keys_name ON keys (name)",
)
ADDED = step(LAST + 1, *GROWN, needs=LAST)


def use(database: Database) -> None:
    """Do what writes into each table that a command or the service writes into."""
    log = AuditLog(database)
    book = KeyBook(database, log)
    book.create("shop", "predict", who="ann")
    book.rotate("shop", who="ann", grace=timedelta(hours=1))
    Feedback(database).keep(DECISION, "spam", key="shop", task="spam")
    hold(database, "spam", lambda: names(database))
    book.revoke("shop", who="ann", reason="test")
    found = log.verify()
    assert (found.faults, found.entries) == ((), 4)


def test_an_older_assay_uses_what_a_newer_one_only_added_to(uri: str) -> None:
    database = Database(uri)
    add(database, "before")
    with newer(ADDED):
        assert applied(Database(uri))[-1] == (LAST + 1, ADDED.name)
    use(database)
    assert names(database) == ["before"]
    # Forward again: nothing is applied twice, and what was written meanwhile is there.
    with newer(ADDED):
        assert applied(Database(uri))[-1] == (LAST + 1, ADDED.name)
        assert AuditLog(Database(uri)).verify().entries == 4
        with database.reading() as connection:
            assert connection.execute("SELECT DISTINCT later FROM keys").fetchall() == [("none",)]


def test_a_step_that_takes_away_is_refused_with_what_to_do(uri: str) -> None:
    removed = step(LAST + 2, *TAKES_AWAY, needs=None)
    with newer(ADDED, removed):
        add(Database(uri), "a")
    with pytest.raises(DatabaseError, match="restore the backup from before") as caught:
        names(Database(uri))
    assert caught.value.data["unknown"] == [(LAST + 1, ADDED.name), (LAST + 2, removed.name)]
    # One who knows the first of them is no better off, whatever that one needs.
    with newer(ADDED), pytest.raises(DatabaseError, match=f"step {LAST + 2}"):
        names(Database(uri))


def test_a_step_may_need_one_that_an_older_assay_does_not_know(uri: str) -> None:
    further = step(LAST + 2, "CREATE TABLE more (name TEXT)", needs=LAST + 1)
    with newer(ADDED, further):
        add(Database(uri), "a")
    with newer(ADDED):
        assert names(Database(uri)) == ["a"]
    with pytest.raises(DatabaseError, match="Update Assay, restore"):
        names(Database(uri))


def test_rows_are_written_by_the_names_of_their_columns() -> None:
    found = [
        f"{path.relative_to(SOURCE)}: {match}"
        for path in SOURCE.rglob("*.py")
        for match in re.findall(r"INSERT INTO \w+ VALUES.*|SELECT \*.*", path.read_text("utf-8"))
    ]
    assert found == []


def adds_only(migration: Migration) -> bool:
    """Return whether an Assay that does not know a step can go on after it."""
    return all(ADDING.fullmatch(each) for each in (*migration.sqlite, *migration.postgresql))


@pytest.mark.parametrize("migration", [*MIGRATIONS, ADDED], ids=lambda each: each.name)
def test_a_step_that_says_so_only_adds(migration: Migration) -> None:
    assert migration.needs is None or (migration.needs < migration.number and adds_only(migration))


@pytest.mark.parametrize(
    "statement",
    [
        *TAKES_AWAY,
        "DROP TABLE locks",
        "ALTER TABLE keys ADD COLUMN owner TEXT NOT NULL",
        "CREATE UNIQUE INDEX keys_name ON keys (name)",
        "UPDATE keys SET name = lower(name)",
    ],
)
def test_what_an_older_assay_cannot_live_with_is_seen(statement: str) -> None:
    assert not adds_only(step(LAST + 1, statement))
