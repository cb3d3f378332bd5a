"""The tables refuse changes, and ``verify`` names what was changed past them."""

from typing import Any

import pytest

from assay.audit import AuditLog, Entry, Verification, _digest, _row
from assay.database import Database
from assay.exceptions import DatabaseError
from tests.audit.entries import append, past_the_triggers, written
from tests.databases import write

FIELDS = tuple(Entry.model_fields)
REFUSED = "never changed or removed"


def faults(uri: str, anchors: dict[str, str] | None = None) -> tuple[str, ...]:
    return AuditLog(Database(uri)).verify(anchors).faults


def run(database: Database, statement: str) -> None:
    write(database, lambda connection: connection.execute(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'eve'",
        "UPDATE audit SET who = 'ada' WHERE number = 5",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit",
    ],
)
def test_the_tables_refuse_changes(people_uri: str, statement: str) -> None:
    log = written(people_uri)
    with pytest.raises(DatabaseError, match=REFUSED):
        run(Database(people_uri), statement)
    assert len(log.entries()) == 5
    assert faults(people_uri) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 2",
        "INSERT INTO audit SELECT 9, at, who, action, model, seat, NULL, NULL, '', kind, '{}', '', hash "
        "FROM audit LIMIT 1",
        "UPDATE OR REPLACE audit SET number = 1 WHERE number = 2",
    ],
)
def test_sqlite_refuses_its_own_ways_of_replacing(people_sqlite: str, statement: str) -> None:
    written(people_sqlite)
    with pytest.raises(DatabaseError, match=REFUSED):
        run(Database(people_sqlite), statement)
    assert faults(people_sqlite) == ()


def test_postgresql_refuses_its_own_ways_of_replacing(people_postgres: str) -> None:
    written(people_postgres)
    upsert = "INSERT INTO audit SELECT * FROM audit ON CONFLICT (number) DO UPDATE SET who = 'eve'"
    for statement in ("TRUNCATE audit", upsert):
        with pytest.raises(DatabaseError, match=REFUSED):
            run(Database(people_postgres), statement)
    assert faults(people_postgres) == ()


CHANGES = {
    "number": "33",
    "at": "'2026-11-17T12:00:00.000000+00:00'",
    "who": "'eve'",
    "action": "'abandoned'",
    "model": "'Ham'",
    "seat": "'staging'",
    "before": "NULL",
    "after": "'33'",
    "reason": "'because 33'",
    "kind": "'override'",
    "evidence": "'{\"f1\":0.91}'",
    "previous": f"'{'0' * 64}'",
    "hash": f"'{'0' * 64}'",
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_field_is_named_by_its_entry(people_uri: str, field: str) -> None:
    written(people_uri)
    past_the_triggers(people_uri, f'UPDATE audit SET "{field}" = {CHANGES[field]} WHERE number = 3')
    number = "33" if field == "number" else "3"
    assert f"Entry {number} was changed: its fields do not give its hash." in faults(people_uri)


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "number"])
@pytest.mark.parametrize("value", ["''", "'{}'", "'[1]'", "'NaN'", "'{\"f1\": 0.9}'", "'2026-11-17'"])
def test_a_field_that_no_entry_can_have_is_named_by_its_entry(
    people_sqlite: str, field: str, value: str
) -> None:
    log = written(people_sqlite, 2)
    past_the_triggers(people_sqlite, f'UPDATE audit SET "{field}" = {value} WHERE number = 2')
    assert faults(people_sqlite)[0] == "Entry 2 was changed: its fields do not give its hash."
    append(log, "3")  # going on is possible, so that nobody is kept from rolling back
    assert len(AuditLog(Database(people_sqlite)).verify().faults) >= 1


@pytest.mark.parametrize("value", ["x'ff00'", "7", "'" + "[" * 100_000 + "'", "'{\"f1\":1e999}'"])
def test_bytes_that_are_no_json_are_named_and_cannot_be_read(people_sqlite: str, value: str) -> None:
    log = written(people_sqlite, 3)
    past_the_triggers(people_sqlite, f"UPDATE audit SET evidence = CAST({value} AS TEXT) WHERE number = 2")
    assert faults(people_sqlite) == ("Entry 2 was changed: its fields do not give its hash.",)
    with pytest.raises(DatabaseError, match=r"Entry 2 of the audit log was changed .* assay audit verify"):
        log.entries()


def test_a_removed_entry_is_missed(people_uri: str) -> None:
    written(people_uri, 7)
    past_the_triggers(people_uri, "DELETE FROM audit WHERE number = 3")
    assert faults(people_uri) == ("Entry 3 is missing.",)
    run(Database(people_uri), "DELETE FROM audit WHERE number IN (4, 5)")
    assert faults(people_uri) == ("Entries 3 to 5 are missing.",)
    run(Database(people_uri), "DELETE FROM audit WHERE number = 1")
    assert faults(people_uri) == ("Entry 1 is missing.", "Entries 3 to 5 are missing.")


def test_a_removed_entry_is_missed_when_the_others_are_counted_anew(people_uri: str) -> None:
    written(people_uri)
    past_the_triggers(people_uri, "DELETE FROM audit WHERE number = 3", *renumber({4: 3, 5: 4}))
    assert "Entry 3 was changed: its fields do not give its hash." in faults(people_uri)


def test_an_inserted_entry_is_named(people_uri: str) -> None:
    written(people_uri)
    copy = ", ".join(f'"{name}"' for name in FIELDS[1:])
    past_the_triggers(
        people_uri,
        *renumber({5: 6, 4: 5, 3: 4}),
        f"INSERT INTO audit SELECT 3, {copy} FROM audit WHERE number = 2",
    )
    found = faults(people_uri)
    assert "Entry 3 was changed: its fields do not give its hash." in found
    assert "Entry 4 was changed: its fields do not give its hash." in found


def test_swapped_entries_are_named(people_uri: str) -> None:
    written(people_uri)
    past_the_triggers(people_uri, *renumber({2: 9, 4: 2, 9: 4}))
    found = faults(people_uri)
    assert "Entry 2 was changed: its fields do not give its hash." in found
    assert "Entry 4 was changed: its fields do not give its hash." in found
    assert not [line for line in found if "Entry 1 " in line]


def renumber(places: dict[int, int]) -> list[str]:
    return [f"UPDATE audit SET number = {new} WHERE number = {old}" for old, new in places.items()]


def forged(uri: str, number: int, **changes: Any) -> Entry:
    """Change an entry together with its hash and return what it became."""
    entry = AuditLog(Database(uri)).entries()[number - 1].model_copy(update=changes)
    entry = entry.model_copy(update={"hash": _digest(entry)})
    values = dict(zip(FIELDS, _row(entry), strict=True))
    sets = ", ".join(
        f"\"{name}\" = '{value}'" for name, value in values.items() if name != "number" and value is not None
    )
    past_the_triggers(uri, f"UPDATE audit SET {sets} WHERE number = {number}")
    return entry


def test_an_entry_changed_together_with_its_hash_is_named_by_the_next(people_uri: str) -> None:
    written(people_uri)
    forged(people_uri, 3, who="eve")
    assert faults(people_uri) == (
        "Entry 4 does not follow entry 3, which was replaced, or changed together with its hash.",
    )


def test_a_first_entry_that_names_one_before_is_told(people_uri: str) -> None:
    written(people_uri, 1)
    forged(people_uri, 1, previous="0" * 64)
    assert faults(people_uri) == ("Entry 1 is the first, but it names an entry before it.",)


def test_an_entry_dated_before_the_one_before_is_told(people_uri: str) -> None:
    log = written(people_uri, 3)
    forged(people_uri, 3, at=log.entries()[0].at)
    assert faults(people_uri) == ("Entry 3 is dated before entry 2.",)


def test_a_cut_tail_and_a_log_written_anew_are_shown_by_an_anchor(people_uri: str) -> None:
    log = written(people_uri)
    anchors = {f"Version {each.after} of 'Spam'": each.hash for each in log.entries()}
    assert log.verify(anchors) == Verification(entries=5, head=log.entries()[-1].hash)
    past_the_triggers(people_uri, "DELETE FROM audit WHERE number > 3")
    assert log.verify().faults == ()
    found = log.verify(anchors)
    assert (found.entries, found.head) == (3, anchors["Version 3 of 'Spam'"])
    assert [line.partition(" names ")[0] for line in found.faults] == [
        "Version 4 of 'Spam'",
        "Version 5 of 'Spam'",
    ]
    assert anchors["Version 5 of 'Spam'"] in found.faults[1]
    run(Database(people_uri), "DELETE FROM audit")
    assert len(faults(people_uri, anchors)) == 5


def test_the_finding_is_told_in_lines(people_sqlite: str) -> None:
    log = AuditLog(Database(people_sqlite))
    assert log.verify().lines() == ["The audit log is whole: 0 entries, the hash of the last is (none)."]
    entry = append(log)
    assert log.verify().lines() == [f"The audit log is whole: 1 entry, the hash of the last is {entry.hash}."]
    found = log.verify({"a note": "x"})
    assert found.lines() == ["The audit log (1 entry) was changed past Assay, or damaged:", *found.faults]


def test_a_moment_that_is_no_text_is_named(people_sqlite: str) -> None:
    written(people_sqlite, 2)
    past_the_triggers(people_sqlite, "UPDATE audit SET at = x'ff' WHERE number = 1")
    assert faults(people_sqlite)[0] == "Entry 1 was changed: its fields do not give its hash."


def test_entries_that_can_be_read_are_told_from_those_that_cannot(people_uri: str) -> None:
    log = written(people_uri, 3)
    past_the_triggers(people_uri, "UPDATE audit SET evidence = '{' WHERE number = 2")
    found, [told] = log.readable("Spam")
    assert [each.number for each in found] == [1, 3]
    assert told.startswith("Entry 2 of the audit log was changed past Assay and cannot be read.")
