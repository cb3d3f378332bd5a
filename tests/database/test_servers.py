"""A PostgreSQL that is not there, refuses, or goes in the middle."""

import os
import re
import signal
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest

from assay.database import Connection, Database
from assay.exceptions import DatabaseError
from tests.databases import add, fail, hold, insert, names, write
from tests.servers import free_port, postgres_missing, postgres_server


def test_a_server_that_is_not_there_is_told() -> None:
    database = Database(f"postgresql://ada@127.0.0.1:{free_port()}/x")
    with pytest.raises(DatabaseError, match=r"refused.*[^?.]\. Check that it runs"):
        names(database)
    with pytest.raises(DatabaseError, match="Check that it runs"):
        hold(database, "a", fail)


def test_a_wrong_password_and_a_missing_database_are_told(server: str) -> None:
    with pytest.raises(DatabaseError, match=r"password authentication failed.*Check that"):
        names(Database(re.sub(r":[^:@]+@", ":wrong@", server)))
    with pytest.raises(DatabaseError, match=r'database "nothing" does not exist.*Check that'):
        names(Database(server.removesuffix("postgres") + "nothing"))


def test_a_user_without_rights_is_told(server: str, postgresql: str) -> None:
    add(Database(postgresql), "a")
    schema = postgresql.rpartition("%3D")[2]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
    stranger = Database(re.sub(r"//[^@]+@", "//reader:x@", postgresql))
    with pytest.raises(DatabaseError, match=r"no schema has been selected.*Grant"):
        names(stranger)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader")  # type: ignore[arg-type]
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")  # type: ignore[arg-type]
    assert names(stranger) == ["a"]
    with pytest.raises(DatabaseError, match=r"permission denied.*Grant"):
        add(stranger, "b")


def end_sessions(server: str, *_: object) -> None:
    """Do to the other sessions what a server that shuts down does, and wait until they are gone."""
    query = (
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'assay' "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(server, autocommit=True) as connection:
        assert all(row[0] for row in connection.execute(query).fetchall())


def test_a_server_that_goes_during_a_transaction_is_told_and_nothing_is_kept(
    server: str, postgresql: str
) -> None:
    database, gone = Database(postgresql), partial(end_sessions, server)
    add(database, "a")
    with pytest.raises(DatabaseError, match=r"connection\. Check that it runs|command\. Check that it runs"):
        write(database, insert("b"), gone, insert("c"))
    with pytest.raises(DatabaseError, match=r"may have been kept or not.*Check that it runs"):
        write(database, insert("b"), gone)
    assert names(database) == ["a"]


def test_a_server_that_goes_while_it_is_read_is_told(server: str, postgresql: str) -> None:
    with Database(postgresql).reading() as connection:
        end_sessions(server)
        with pytest.raises(DatabaseError, match="Check that it runs"):
            connection.execute("SELECT 1")


def test_a_lock_lost_with_its_server_is_told_at_the_end(server: str, postgresql: str) -> None:
    database, gone = Database(postgresql), partial(end_sessions, server)
    another = partial(hold, database, "a", holder="bob")
    with pytest.raises(DatabaseError, match=r"'a' was lost while it was held"):
        hold(database, "a", gone, another, holder="ada")
    with pytest.raises(ZeroDivisionError):
        hold(database, "a", gone, fail)
    hold(database, "a")


def kill_server(connection: Connection) -> None:
    """Stop the server of a connection without a shutdown, and wait until it is gone."""
    [(backend,)] = connection.execute("SELECT pg_backend_pid()").fetchall()
    status = Path(f"/proc/{backend}/status")
    server = re.search(r"PPid:\s+(\d+)", status.read_text())
    assert server is not None
    os.kill(int(server[1]), signal.SIGQUIT)
    while status.exists():
        time.sleep(0.01)


@pytest.mark.skipif(bool(postgres_missing()), reason=postgres_missing())
def test_a_server_that_is_killed_in_the_middle_is_told() -> None:
    with postgres_server() as uri:
        database = Database(uri)
        add(database, "a")
        with pytest.raises(DatabaseError, match="may have been kept or not"):
            write(database, insert("b"), kill_server)
        with pytest.raises(DatabaseError, match="Check that it runs"):
            names(database)
