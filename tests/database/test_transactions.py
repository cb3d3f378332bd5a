"""Transactions are whole, one process writes at a time, and a killed one leaves nothing behind."""

import signal

import pytest

from assay.database import Database
from assay.exceptions import DatabaseError
from tests.databases import add, answer, beside, end, fail, hear, insert, names, path_of, write


def test_a_transaction_is_undone_whole_by_an_error(uri: str) -> None:
    database = Database(uri)
    with pytest.raises(ZeroDivisionError):
        write(database, insert("a"), fail)
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        write(database, insert("a", "b", "a"))
    assert names(database) == []


def test_a_transaction_is_seen_when_it_ends(uri: str) -> None:
    database = Database(uri)
    with database.writing() as connection:
        connection.execute("INSERT INTO locks VALUES (%s, '50%%', %s)", ("100% b?", ""))
        assert connection.execute("SELECT name, holder FROM locks").fetchall() == [("100% b?", "50%")]
        assert names(database) == []
    assert names(database) == ["100% b?"]


def test_reading_sees_one_state(postgresql: str) -> None:
    database, query = Database(postgresql), "SELECT name FROM locks"
    add(database, "a")
    with database.reading() as connection:
        assert connection.execute(query).fetchall() == [("a",)]
        add(database, "b")
        assert connection.execute(query).fetchall() == [("a",)]


def test_reading_changes_nothing(uri: str) -> None:
    database = Database(uri)
    with database.reading() as connection, pytest.raises(DatabaseError, match=r"readonly|read-only"):
        insert("a")(connection)
    assert names(database) == []


def test_what_a_killed_writer_left_is_undone(uri: str) -> None:
    add(Database(uri), "before")
    script = """
with database.writing() as connection:
    if "sqlite" in sys.argv[1]:
        connection.execute("PRAGMA cache_size = 5")
    for number in range(300):
        connection.execute("INSERT INTO locks VALUES (%s, %s, %s)", (f"half {number}", "x" * 1000, ""))
    tell("written")
"""
    with beside(script, uri) as process:
        hear(process, "written")
        process.send_signal(signal.SIGKILL)
        assert end(process) == -signal.SIGKILL
    if uri.startswith("sqlite"):
        # The cache was too small for the rows: the file itself is half-written.
        assert path_of(f"{uri}-journal").stat().st_size
        assert b"half 7" in path_of(uri).read_bytes()
    add(Database(uri), "after")
    assert names(Database(uri)) == ["after", "before"]


@pytest.mark.usefixtures("impatient")
def test_a_database_that_another_process_writes_is_waited_for_and_then_told(uri: str) -> None:
    add(Database(uri), "a")
    with beside("with database.writing():\n    tell('writing')", uri) as process:
        hear(process, "writing")
        assert names(Database(uri)) == ["a"]
        with pytest.raises(DatabaseError, match=r"Another process has been using it .* nothing was changed"):
            add(Database(uri), "b")
        answer(process)
        assert end(process) == 0
    add(Database(uri), "c")
    assert names(Database(uri)) == ["a", "c"]


@pytest.mark.usefixtures("impatient")
def test_a_reader_that_does_not_end_keeps_a_file_from_being_written_and_that_is_told(sqlite: str) -> None:
    database = Database(sqlite)
    add(database, "a")
    with database.reading() as connection:
        connection.execute("SELECT name FROM locks")
        with pytest.raises(DatabaseError, match=r"Another process has been using it .* nothing was changed"):
            add(database, "b")
    assert names(database) == ["a"]
    add(database, "c")
    assert names(database) == ["a", "c"]


def test_a_writer_that_ends_in_time_is_waited_for(uri: str) -> None:
    database = Database(uri)
    add(database, "a")
    script = """
with database.writing() as connection:
    print("writing", flush=True)
    connection.execute("INSERT INTO locks VALUES ('b', '', '')")
"""
    with beside(script, uri) as process:
        hear(process, "writing")
        add(database, "c")
        assert end(process) == 0
    assert names(database) == ["a", "b", "c"]


def test_text_that_no_database_holds_is_told(uri: str) -> None:
    with pytest.raises(DatabaseError, match="surrogates not allowed"):
        add(Database(uri), "\ud800")
    assert names(Database(uri)) == []


def test_nul_is_kept_or_told(sqlite: str, postgresql: str) -> None:
    add(Database(sqlite), "a\0b")
    assert names(Database(sqlite)) == ["a\0b"]
    with pytest.raises(DatabaseError, match=r"NUL \(0x00\) bytes\.$"):
        add(Database(postgresql), "a\0b")
