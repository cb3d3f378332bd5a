"""Keys as a worker knows them: a second old at most, and in force when the database is gone."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from assay.access import KeyBook, Keys
from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import DatabaseError
from tests.access.counters import Wall
from tests.audit.entries import past_the_triggers
from tests.databases import path_of


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as a condition holds; False when it does not within 20 seconds."""
    return any(condition() or threading.Event().wait(0.02) for _ in range(1_000))


@pytest.fixture
def wall() -> Wall:
    """The clock of the keys."""
    return Wall()


@pytest.fixture
def book(people_uri: str, wall: Wall) -> KeyBook:
    """An empty book of keys."""
    database = Database(people_uri)
    return KeyBook(database, AuditLog(database), wall)


@pytest.fixture
def told() -> list[str]:
    """The faults that were told."""
    return []


@pytest.fixture
def keys(people_uri: str, wall: Wall, told: list[str]) -> Iterator[Keys]:
    """The keys as a worker knows them, which looks often."""
    keys = Keys(Database(people_uri), clock=wall, on_fault=told.append, pause=0.02)
    yield keys
    keys.stop()


def test_a_valid_key_stands_for_its_caller(book: KeyBook, keys: Keys) -> None:
    made = book.create("ci", "predict,admin", who="ada")
    keys.read()
    caller = keys.identify(made.secret)
    assert caller is not None
    assert (caller.name, caller.scopes, caller.rate) == ("ci", {"predict", "admin"}, None)


def test_nothing_else_stands_for_anybody(book: KeyBook, keys: Keys) -> None:
    one, two = (book.create(name, "predict", who="ada") for name in ("one", "two"))
    keys.read()
    mixed = two.secret.replace(two.key.id, one.key.id)
    for credential in ("", "x", mixed, one.secret + "x", one.secret.upper(), one.key.hash, one.key.id):
        assert keys.identify(credential) is None


def test_before_the_first_look_nobody_is_told(keys: Keys) -> None:
    assert not keys.ready
    with pytest.raises(DatabaseError, match="not read yet"):
        keys.identify("x")


def test_new_and_revoked_keys_are_known_soon(book: KeyBook, keys: Keys, told: list[str]) -> None:
    keys.start()
    made = book.create("ci", "predict", who="ada")
    assert eventually(lambda: keys.identify(made.secret) is not None)
    book.revoke("ci", who="ada")
    assert eventually(lambda: keys.identify(made.secret) is None)
    assert (keys.fault, told) == ("", [""])


def test_expiry_needs_no_look(book: KeyBook, keys: Keys, wall: Wall) -> None:
    made = book.create("ci", "predict", who="ada", lasts=timedelta(hours=1))
    keys.read()
    wall.move(minutes=59)
    assert keys.identify(made.secret)
    wall.move(minutes=1)
    assert keys.identify(made.secret) is None
    wall.move(days=-3)
    assert keys.identify(made.secret)


def test_two_keys_of_a_name_are_one_name_and_two_counts(book: KeyBook, keys: Keys) -> None:
    old = book.create("ci", "predict", who="ada")
    new = book.rotate("ci", who="ada")
    keys.read()
    callers = [keys.identify(each.secret) for each in (old, new)]
    assert [caller.name for caller in callers if caller] == ["ci", "ci"]
    assert len({caller.id for caller in callers if caller}) == 2


def test_a_key_that_was_changed_past_assay_is_nobody_s_and_the_others_stay(
    book: KeyBook, keys: Keys, people_uri: str
) -> None:
    bad, good = (book.create(name, "predict", who="ada") for name in ("bad", "good"))
    past_the_triggers(people_uri, f"UPDATE keys SET rate = 'any' WHERE id = '{bad.key.id}'")
    keys.read()
    assert (keys.identify(bad.secret), bool(keys.identify(good.secret))) == (None, True)
    assert bad.key.id in keys.fault


def test_when_the_database_goes_the_last_look_holds_and_that_is_told(
    people_sqlite: str, wall: Wall, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(people_sqlite)
    made = KeyBook(database, AuditLog(database), wall).create("ci", "predict", who="ada")
    keys = Keys(database, clock=wall, on_fault=told.append, pause=0.02)
    keys.start()
    folder = path_of(people_sqlite).parent
    try:
        folder.rename(folder.with_name("away"))
        Path(folder).write_text("a file where a folder was")
        assert eventually(lambda: keys.fault != "")
        assert keys.identify(made.secret)
        assert keys.ready
        folder.unlink()
        folder.with_name("away").rename(folder)
        assert eventually(lambda: keys.fault == "")
    finally:
        keys.stop()
    assert [bool(fault) for fault in told] == [False, True, False]
    assert caplog.text.count("The keys of the last look stay in force") == 1


def test_a_look_that_takes_for_ever_shows_in_the_age_of_the_keys(
    book: KeyBook, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.read()
    assert keys.fault == ""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert "could not be read for 60 seconds" in keys.fault


def test_a_thread_that_meets_the_unforeseen_goes_on(
    book: KeyBook, keys: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys.start()
    with monkeypatch.context() as patch:
        patch.setattr(keys, "_database", None)
        assert eventually(lambda: "the log of the service says why" in keys.fault)
    made = book.create("ci", "predict", who="ada")
    assert eventually(lambda: keys.identify(made.secret) is not None)
    assert "Traceback" in caplog.text
