"""PostgreSQL's own tools dump and bring back; no password is on a command line; what is in use stays."""

import os
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from assay.access import KeyBook
from assay.audit import AuditLog
from assay.backup import check_backup, postgres
from assay.database import Database
from assay.exceptions import BackupError, MissingExtra
from assay.settings import Settings
from tests.backup.conftest import bring_back, keep

NUMBERS = count(1)
PEOPLE = ("registry", "artifacts", "log", "settings")


@pytest.fixture
def database(postgres_uri: str) -> Iterator[str]:
    """The URI of a new, empty database."""
    name = f"kept_{next(NUMBERS)}"
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{postgres_uri.rpartition('/')[0]}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def with_key(uri: str, home: Path) -> Settings:
    """Return settings whose people's database has a key."""
    people = Database(uri)
    KeyBook(people, AuditLog(people)).create("shop", "predict", who="ann")
    return Settings(home=home, database=uri)


def tool(folder: Path, name: str, script: str) -> None:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(stat.S_IRWXU)


def test_people_come_back_and_again_after_a_restore_that_was_cut_off(
    database: str, postgres_uri: str, tmp_path: Path, to: Path
) -> None:
    keep(with_key(database, tmp_path / "old"), to, without=PEOPLE)
    assert [line for line in check_backup(str(to)) if "the dump of postgresql://***@" in line]
    log = AuditLog(Database(database)).verify()
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS comes_back WITH (FORCE)")
        server.execute("CREATE DATABASE comes_back")
    uri = f"{postgres_uri.rpartition('/')[0]}/comes_back"
    # The database came back, and the process died before its files were in place.
    for number in (1, 2):
        home = tmp_path / f"new-{number}"
        assert any(
            "audit log whole: 1" in line for line in bring_back(Settings(home=home, database=uri), to).found
        )
    assert AuditLog(Database(uri)).verify() == log


def test_a_database_that_holds_something_else_is_refused(database: str, tmp_path: Path, to: Path) -> None:
    settings = with_key(database, tmp_path / "old")
    keep(settings, to, without=PEOPLE)
    people = Database(database)
    KeyBook(people, AuditLog(people)).create("other", "predict", who="ann")
    fresh = Settings(home=tmp_path / "new", database=database)
    with pytest.raises(BackupError, match=r"has tables already, like 'audit'"):
        bring_back(fresh, to)
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE mine (a int)")
    with pytest.raises(BackupError, match=r"has tables already, like 'mine'"):
        bring_back(fresh, to)
    assert postgres.tables_of(database) == ["mine"]
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("CREATE SCHEMA elsewhere")
    moved = Settings(home=tmp_path / "new", database=f"{database}?options=-csearch_path%3Delsewhere")
    with pytest.raises(BackupError, match="schema 'public', and new tables of people go to 'elsewhere'"):
        bring_back(moved, to)


def test_a_dump_that_is_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"PGDMP and no more")
    with pytest.raises(BackupError, match="The dump of x is damaged: pg_restore failed"):
        postgres.check_dump(tmp_path / "dump", named="x")


def test_no_password_is_on_a_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_uri: str
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    tool(
        tmp_path / "bin", "pg_dump", f'echo "$@" >{tmp_path}/line; echo "$PGPASSWORD" >{tmp_path}/environment'
    )
    assert postgres.dump(postgres_uri, tmp_path / "out", snapshot="1-1") == "public"
    line = (tmp_path / "line").read_text()
    assert "s3cret" not in line
    assert "--snapshot=1-1" in line
    assert "user=assay" in line
    assert (tmp_path / "environment").read_text().strip() == "s3cret-of-the-test"


def test_a_tool_that_is_missing_or_too_old_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_uri: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(
        BackupError, match=r"no program .pg_dump. here.* Install PostgreSQL.s client programs"
    ):
        postgres.dump(postgres_uri, tmp_path / "out")
    tool(tmp_path / "bin", "pg_dump", "echo 'aborting because of server version mismatch' >&2; exit 1")
    with pytest.raises(BackupError, match=r"pg_dump failed postgresql://\*\*\*@.*mismatch\. Install"):
        postgres.dump(postgres_uri, tmp_path / "out")


def test_a_server_that_is_down_is_said_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"postgresql://\*\*\*@127.0.0.1:1/x cannot be used") as error:
        postgres.schema_of("postgresql://ann:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in error.value.message


def test_without_its_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"assay\[postgres\]"):
        postgres.restore("postgresql://x/y", tmp_path, schema="public")


def test_one_database_is_told_from_another() -> None:
    assert postgres.same_database("postgresql://a:b@h:5/x", "postgres://a:b@h:5/x")
    assert not postgres.same_database("postgresql://a:b@h:5/x", "postgresql://a:b@h:5/y")
