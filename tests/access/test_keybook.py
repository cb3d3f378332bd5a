"""Keys in the people's database: each change is kept together with its entry in the audit log."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from assay.access import Key, KeyBook, Rate
from assay.access.key import digest_of
from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import ConfigError, DatabaseError, KeyRefused
from tests.access.counters import Wall
from tests.audit.entries import past_the_triggers
from tests.databases import beside, hear

MAKING = """
from assay.access import KeyBook
from assay.audit import AuditLog
from assay.exceptions import KeyRefused
book = KeyBook(database, AuditLog(database))
tell("ready")
try:
    book.create("same", "predict", who="ada")
    tell("made")
except KeyRefused:
    tell("refused")
"""


@pytest.fixture
def wall() -> Wall:
    """The clock of the keys."""
    return Wall()


@pytest.fixture
def log(people_uri: str, wall: Wall) -> AuditLog:
    """The audit log beside the keys."""
    return AuditLog(Database(people_uri), clock=wall)


@pytest.fixture
def book(people_uri: str, log: AuditLog, wall: Wall) -> KeyBook:
    """An empty book of keys, on each kind of database."""
    return KeyBook(Database(people_uri), log, wall)


def states(book: KeyBook, wall: Wall) -> list[tuple[str, str]]:
    """Return name and state of every key."""
    return [(key.name, key.state(wall())) for key in book.list()]


def test_a_new_key_is_kept_without_its_secret(
    book: KeyBook, log: AuditLog, wall: Wall, people_uri: str
) -> None:
    made = book.create("ci", "predict,batch", who="ada", rate=Rate(100, 1), lasts=timedelta(days=90))
    assert book.list() == [made.key] == book.valid()
    assert made.key.expires_at == wall() + timedelta(days=90)
    assert made.key.hash == digest_of(made.secret)
    [entry] = log.entries()
    assert (entry.action, entry.kind, entry.who, entry.before, entry.after, entry.model, entry.seat) == (
        "created", "key", "ada", None, made.key.id, "", "",
    )  # fmt: skip
    assert entry.evidence == {
        "name": "ci", "scopes": ["predict", "batch"], "rate": "100/s", "expires": "2027-02-27T12:00:00+00:00",
    }  # fmt: skip
    assert log.verify().faults == ()
    with Database(people_uri).reading() as connection:
        kept = str([connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("keys", "audit")])
    assert made.secret.split("_", 2)[2] not in kept + repr(made)
    assert made.key.hash not in str(entry)


def test_names_are_unique_among_valid_keys(book: KeyBook, wall: Wall) -> None:
    first = book.create("ci", "predict", who="ada", lasts=timedelta(hours=1))
    with pytest.raises(KeyRefused, match=rf"valid key 'ci' already, {first.key.id}\. .*assay keys rotate ci"):
        book.create("ci", "batch", who="ada")
    wall.move(hours=1)
    book.create("ci", "batch", who="ada")
    assert states(book, wall) == [("ci", "expired"), ("ci", "valid")]


def test_a_key_that_was_rotated_stays_valid_for_its_grace(book: KeyBook, log: AuditLog, wall: Wall) -> None:
    old = book.create("ci", "predict", who="ada", rate=Rate(5, 60), lasts=timedelta(days=90)).key
    wall.move(days=80)
    new = book.rotate("ci", who="bob", grace=timedelta(hours=2)).key
    assert (new.name, new.scopes, new.rate) == (old.name, old.scopes, old.rate)
    assert new.expires_at == wall() + timedelta(days=90)
    assert [key.id for key in book.valid()] == [old.id, new.id]
    entry = log.entries()[-1]
    assert (entry.action, entry.before, entry.after, entry.who) == ("rotated", old.id, new.id, "bob")
    assert entry.evidence["grace_seconds"] == 7_200
    wall.move(hours=2)
    assert [key.id for key in book.valid()] == [new.id]


def test_grace_prolongs_no_key(book: KeyBook, wall: Wall) -> None:
    old = book.create("ci", "predict", who="ada", lasts=timedelta(hours=1)).key
    book.rotate(old.id, who="ada", grace=timedelta(days=9))
    assert book.list()[0].expires_at == old.expires_at


def test_without_grace_the_old_key_ends_at_once(book: KeyBook, wall: Wall) -> None:
    book.create("ci", "predict", who="ada")
    book.rotate("ci", who="ada", grace=timedelta(0))
    assert states(book, wall) == [("ci", "revoked"), ("ci", "valid")]


def test_no_name_has_three_valid_keys(book: KeyBook, wall: Wall) -> None:
    first = book.create("ci", "predict", who="ada").key
    wall.move(seconds=-1)
    book.rotate("ci", who="ada")
    wall.move(seconds=-1)
    for reference in ("ci", first.id):
        with pytest.raises(KeyRefused, match=r"two valid keys already.*assay keys revoke ID"):
            book.rotate(reference, who="ada")
    with pytest.raises(KeyRefused, match="two valid keys already"):
        book.rotate(first.id, who="ada", grace=timedelta(0))
    book.revoke(first.id, who="ada")
    book.rotate("ci", who="ada")
    wall.move(seconds=-1)
    assert len(book.valid()) == 2
    book.rotate("ci", who="ada", grace=timedelta(0))
    assert len(book.valid()) == 2


def test_a_name_is_revoked_with_all_its_keys_and_an_id_alone(
    book: KeyBook, log: AuditLog, wall: Wall
) -> None:
    old = book.create("ci", "predict", who="ada").key
    wall.move(seconds=1)
    new = book.rotate("ci", who="ada").key
    other = book.create("other", "predict", who="ada").key
    assert [key.id for key in book.revoke("ci", who="bob", reason="leaked")] == [old.id, new.id]
    assert [key.id for key in book.valid()] == [other.id]
    assert [(e.action, e.before, e.after, e.reason) for e in log.entries()[-2:]] == [
        ("revoked", old.id, None, "leaked"),
        ("revoked", new.id, None, "leaked"),
    ]
    assert [key.id for key in book.revoke(other.id, who="bob")] == [other.id]


CHANGES: dict[str, Callable[[KeyBook, str, str], object]] = {
    "create": lambda book, _, who: book.create("other", "predict", who=who),
    "rotate": lambda book, reference, who: book.rotate(reference, who=who),
    "revoke": lambda book, reference, who: book.revoke(reference, who=who),
}


@pytest.mark.parametrize("change", ["rotate", "revoke"])
def test_only_a_valid_key_can_be_changed(book: KeyBook, log: AuditLog, wall: Wall, change: str) -> None:
    for reference in ("none", "01234567"):
        with pytest.raises(KeyRefused, match=f"There is no key '{reference}'; nothing was changed"):
            CHANGES[change](book, reference, "ada")
    key = book.create("ci", "predict", who="ada", lasts=timedelta(hours=1)).key
    wall.move(hours=1)
    for reference in ("ci", key.id):
        with pytest.raises(KeyRefused, match=f"The key '{reference}' is expired"):
            CHANGES[change](book, reference, "ada")
    assert len(log.entries()) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_cannot_be_audited_is_not_made(book: KeyBook, wall: Wall, change: str) -> None:
    key = book.create("ci", "predict", who="ada").key
    with pytest.raises(DatabaseError, match="cannot be an entry of the audit log"):
        CHANGES[change](book, "ci", "")
    assert book.list() == [key]


def test_names_from_outside_are_refused_before_anything_is_written(book: KeyBook, log: AuditLog) -> None:
    for name in ("a\r\nX-Evil: 1", "a b", ""):
        with pytest.raises(ConfigError, match="cannot be the name"):
            book.create(name, "predict", who="ada")
    assert (book.list(), log.entries()) == ([], [])


def test_a_clock_that_was_set_back_does_not_stop_a_change(book: KeyBook, log: AuditLog, wall: Wall) -> None:
    book.create("ci", "predict", who="ada")
    wall.move(days=-2)
    book.revoke("ci", who="ada")
    assert "clock" in log.entries()[-1].evidence
    assert book.valid() == []


def test_of_two_who_make_one_name_at_the_same_time_one_is_refused(people_uri: str) -> None:
    with beside(MAKING, people_uri) as first, beside(MAKING, people_uri) as second:
        for each in (first, second):
            hear(each, "ready")
        for each in (first, second):
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = sorted(each.stdout.readline().strip() for each in (first, second) if each.stdout)
    assert said == ["made", "refused"]
    assert len(AuditLog(Database(people_uri)).entries()) == 1


def test_a_key_that_was_changed_past_assay_is_named(
    book: KeyBook, people_sqlite: str, people_uri: str
) -> None:
    key = book.create("ci", "predict", who="ada").key
    past_the_triggers(people_uri, f"UPDATE keys SET scopes = 'root' WHERE id = '{key.id}'")
    with pytest.raises(DatabaseError, match=rf"The key '{key.id}' was changed past Assay.*no scope 'root'"):
        book.list()


def test_a_key_is_a_value(book: KeyBook) -> None:
    key = book.create("ci", "predict", who="ada").key
    assert isinstance(key, Key)
    assert key.caller.id == f"key:{key.id}"
