"""A lock lets one process in, tells who holds it, and ends with that process."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from assay.database import Database
from assay.exceptions import DatabaseError, LockHeld
from tests.databases import answer, beside, end, fail, hear, hold, names, own_schema, path_of

HOLDING = "with database.lock('promotion:Spam', holder='ada'):\n    tell('held')"
PATIENCE_SECONDS = 20


def test_a_held_lock_is_refused_at_once_and_tells_its_holder(uri: str) -> None:
    database = Database(uri)
    with beside(HOLDING, uri) as process:
        hear(process, "held")
        with pytest.raises(LockHeld, match=r"'promotion:Spam' is held by ada since 20") as caught:
            hold(database, "promotion:Spam", fail)
        assert caught.value.data["name"] == "promotion:Spam"
        assert caught.value.data["holder"] == "ada"
        assert caught.value.data["since"] in caught.value.message
        with database.lock("promotion:Other", holder="bob"):
            assert names(database) == ["promotion:Other", "promotion:Spam"]
        answer(process)
        assert end(process) == 0
    hold(database, "promotion:Spam")
    assert names(database) == []


def test_a_lock_is_exclusive_within_a_process(uri: str) -> None:
    database = Database(uri)
    with database.lock("a", holder="ada"):
        for other in (database, Database(uri)):
            with pytest.raises(LockHeld, match="held by ada"):
                hold(other, "a", fail)


def test_a_file_named_by_a_link_has_the_same_locks(sqlite: str, tmp_path: Path) -> None:
    hold(Database(sqlite), "a")
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "people.db"
    link.symlink_to(path_of(sqlite))
    with Database(sqlite).lock("a", holder="ada"), pytest.raises(LockHeld, match="held by ada"):
        hold(Database(f"sqlite:///{link}"), "a", fail)


def test_a_lock_ends_with_an_error(uri: str) -> None:
    with pytest.raises(ZeroDivisionError):
        hold(Database(uri), "a", fail)
    hold(Database(uri), "a")


def test_a_lock_ends_with_a_killed_process(uri: str) -> None:
    database = Database(uri)
    with beside(HOLDING, uri) as process:
        hear(process, "held")
        process.send_signal(signal.SIGKILL)
        assert end(process) == -signal.SIGKILL
    assert names(database) == ["promotion:Spam"]  # what it wrote of itself stays, and holds nobody up
    deadline, holders = time.monotonic() + PATIENCE_SECONDS, []
    while not holders:
        try:
            with database.lock("promotion:Spam", holder="bob"), database.reading() as connection:
                holders = connection.execute("SELECT holder FROM locks").fetchall()
        except LockHeld:  # a server sees within moments that the connection is gone; a system at once
            assert uri.startswith("postgresql")
            assert time.monotonic() < deadline
    assert holders == [("bob",)]
    assert names(database) == []


def test_a_lock_lets_one_process_in_at_a_time(uri: str, tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    tally.write_text("0")
    script = """
from pathlib import Path
from assay.exceptions import LockHeld
tally, done = Path(sys.argv[2]), 0
tell("ready")
while done < 10:
    try:
        with database.lock("tally", holder="x"):
            tally.write_text(str(int(tally.read_text()) + 1))
            done += 1
    except LockHeld:
        pass
"""
    with ExitStack() as stack:
        processes = [stack.enter_context(beside(script, uri, str(tally))) for _ in range(2)]
        for process in processes:
            hear(process, "ready")
        for process in processes:
            answer(process)
        assert [end(process) for process in processes] == [0, 0]
    assert tally.read_text() == "20"


def test_a_lock_whose_row_cannot_be_read_or_removed_locks_all_the_same(sqlite: str) -> None:
    with Database(sqlite).lock("a", holder="ada"):
        path_of(sqlite).write_bytes(b"no database at all" * 100)
        with pytest.raises(LockHeld, match="held by another process"):
            hold(Database(sqlite), "a", fail)


def test_a_lock_that_cannot_be_signed_is_not_held(sqlite: str) -> None:
    path_of(sqlite).parent.mkdir()
    path_of(sqlite).write_bytes(b"no database at all" * 100)
    for _ in range(2):
        with pytest.raises(DatabaseError, match="not a database"):
            hold(Database(sqlite), "a", fail)


def test_odd_names_lock(sqlite: str) -> None:
    name = "promotion:../é 'x'/" + "long" * 100
    with Database(sqlite).lock(name, holder="ada"):
        with pytest.raises(LockHeld):
            hold(Database(sqlite), name, fail)
        assert names(Database(sqlite)) == [name]


def test_locks_of_two_schemas_are_apart(server: str, postgresql: str) -> None:
    with Database(postgresql).lock("a", holder="ada"):
        hold(Database(own_schema(server)), "a")
