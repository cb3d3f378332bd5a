"""A database is brought to the newest schema, by one process, once; what is not ours is left alone."""

import shutil
import sqlite3
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from assay import database as module
from assay.database import Database
from assay.exceptions import DatabaseError
from assay.migrations import MIGRATIONS, Migration
from tests.databases import add, answer, applied, beside, end, hear, names, own_schema, path_of, write

NUMBER_AND_NAME = [(each.number, each.name) for each in MIGRATIONS]


def test_first_use_applies_every_migration_once(uri: str) -> None:
    assert applied(Database(uri)) == NUMBER_AND_NAME
    assert applied(Database(uri)) == NUMBER_AND_NAME
    assert [number for number, _ in NUMBER_AND_NAME] == list(range(1, len(MIGRATIONS) + 1))


def test_nothing_is_opened_before_first_use(sqlite: str) -> None:
    Database(sqlite)
    assert not path_of(sqlite).parent.exists()


def test_an_older_database_gets_what_it_lacks(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(module, "MIGRATIONS", MIGRATIONS[:1])
        assert applied(Database(uri)) == NUMBER_AND_NAME[:1]
    assert applied(Database(uri)) == NUMBER_AND_NAME


def test_a_migration_that_fails_leaves_nothing(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("CREATE TABLE half (number INTEGER)", "CREATE TABLE half (number INTEGER)")
    step = Migration(len(MIGRATIONS) + 1, "bad", sqlite=bad, postgresql=bad)
    with monkeypatch.context() as newer:
        newer.setattr(module, "MIGRATIONS", (*MIGRATIONS, step))
        with pytest.raises(DatabaseError, match="half"):
            applied(Database(uri))
    assert applied(Database(uri)) == NUMBER_AND_NAME
    with pytest.raises(DatabaseError, match="half"):
        write(Database(uri), lambda connection: connection.execute("SELECT * FROM half"))


@pytest.mark.parametrize("row", [(99, "future"), (1, "another")])
def test_a_database_of_another_assay_is_refused(uri: str, row: tuple[int, str]) -> None:
    database = Database(uri)
    with database.writing() as connection:
        connection.execute("DELETE FROM migrations WHERE number = %s", row[:1])
        connection.execute("INSERT INTO migrations (number, name, applied_at) VALUES (%s, %s, '')", row)
    with pytest.raises(DatabaseError, match=r"has the migration .* Update Assay") as caught:
        names(database)
    assert caught.value.data["unknown"] == [row]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_open_a_new_database_at_once_all_succeed(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    script = "while uri := tell('ready'):\n    with Database(uri).reading() as connection: pass"
    if kind == "sqlite":
        uris = [f"sqlite:///{tmp_path / f'{number}.db'}" for number in range(15)]
    else:
        uris = [own_schema(request.getfixturevalue("server")) for _ in range(5)]
    with ExitStack() as stack:
        processes = [stack.enter_context(beside(script, uris[0])) for _ in range(3)]
        for uri in [*uris, ""]:
            for process in processes:
                hear(process, "ready")
            for process in processes:
                answer(process, uri)
        assert [end(process) for process in processes] == [0, 0, 0]
    assert [applied(Database(uri)) for uri in uris] == [NUMBER_AND_NAME] * len(uris)


def test_the_database_of_another_program_is_refused_and_left_alone(sqlite: str, empty_database: Path) -> None:
    path_of(sqlite).parent.mkdir()
    shutil.copy(empty_database, path_of(sqlite))
    with pytest.raises(DatabaseError, match=r"another program.*a file of its own"):
        names(Database(sqlite))
    assert path_of(sqlite).read_bytes() == empty_database.read_bytes()


def test_postgresql_shares_a_schema_with_other_tables(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute("CREATE TABLE experiments (number INTEGER)")
    assert names(Database(postgresql)) == []


def test_a_table_of_migrations_of_another_program_is_told(sqlite: str, postgresql: str) -> None:
    path_of(sqlite).parent.mkdir()
    for uri, connection in (
        (sqlite, sqlite3.connect(path_of(sqlite))),
        (postgresql, psycopg.connect(postgresql)),
    ):
        connection.execute("CREATE TABLE migrations (version TEXT)")
        connection.commit()
        connection.close()
        with pytest.raises(DatabaseError, match=r"cannot be used: .*number"):
            add(Database(uri), "a")
