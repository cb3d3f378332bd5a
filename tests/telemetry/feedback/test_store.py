"""Feedback is kept once, by both kinds of database, or not at all and said so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.database import Database
from assay.exceptions import DatabaseError
from assay.telemetry import Feedback

DECISION = "1b4f0c4cf0e84d6c8a5b0c9d2f3e7a61"
ROWS = 'SELECT decision, label, "key", task, at FROM feedback ORDER BY at'


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 29, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the next second."""
        self.at += timedelta(seconds=1)
        return self.at


def rows(database: Database) -> list[tuple[str, ...]]:
    """Return what is kept, oldest first, without the times."""
    with database.reading() as connection:
        return [row[:-1] for row in connection.execute(ROWS).fetchall()]


def test_the_same_feedback_is_kept_once(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database, now=Clock())
    for _ in range(3):
        feedback.keep(DECISION, "spam", key="ann", task="spam")
    assert rows(database) == [(DECISION, "spam", "ann", "spam")]


def test_another_label_key_or_decision_is_feedback_of_its_own(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database, now=Clock())
    feedback.keep(DECISION, "spam", key="ann", task="")
    feedback.keep(DECISION, "ham", key="ann", task="")
    feedback.keep(DECISION, "spam", key="bob", task="")
    feedback.keep("0" * 32, "spam", key="ann", task="")
    assert len(rows(database)) == 4


def test_what_a_key_said_last_is_the_newest(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database, now=Clock())
    for label in ("spam", "ham", "spam"):
        feedback.keep(DECISION, label, key="ann", task="")
    assert [row[1] for row in rows(database)] == ["ham", "spam"]


def test_a_task_once_told_stays_known(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database, now=Clock())
    for task in ("", "spam", ""):
        feedback.keep(DECISION, "ham", key="", task=task)
    assert rows(database) == [(DECISION, "ham", "", "spam")]


def test_any_text_is_kept_as_it_is(people_uri: str) -> None:
    database = Database(people_uri)
    label = "'; DROP TABLE feedback; -- %s %% é 日本"
    Feedback(database).keep(DECISION, label, key="", task="")
    assert rows(database)[0][1] == label


def test_a_database_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "assay.db").write_bytes(b"this is no database, but long enough to look at" * 100)
    with pytest.raises(DatabaseError):
        Feedback(Database(f"sqlite:///{tmp_path / 'assay.db'}")).keep(DECISION, "ham", key="", task="")


def test_who_may_speak_of_what_is_kept_as_it_was_last(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database, now=Clock())
    feedback.keep(DECISION, "ham", key="ann", task="", reviewer=True)
    feedback.keep(DECISION, "ham", key="ann", task="", reviewer=False)
    with database.reading() as connection:
        assert connection.execute("SELECT reviewer FROM feedback").fetchall() == [(0,)]


def test_each_outcome_is_told(people_uri: str) -> None:
    told: list[tuple[str, str]] = []
    feedback = Feedback(Database(people_uri), now=Clock(), told=lambda *each: told.append(each))
    for label in ("ham", "ham", "spam", "ham"):
        feedback.keep(DECISION, label, key="ann", task="spam")
    assert told == [("spam", each) for each in ("new", "again", "changed", "changed")]


def test_what_fails_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "assay.db").write_bytes(b"this is no database, but long enough to look at" * 100)
    told: list[tuple[str, str]] = []
    feedback = Feedback(Database(f"sqlite:///{tmp_path / 'assay.db'}"), told=lambda *each: told.append(each))
    with pytest.raises(DatabaseError):
        feedback.keep(DECISION, "ham", key="", task="spam")
    assert told == [("spam", "failed")]


def test_what_is_said_last_is_the_newest_also_when_the_clock_goes_back(people_uri: str) -> None:
    database = Database(people_uri)
    clock = iter([datetime(2026, 11, 29, 12, tzinfo=UTC), datetime(2026, 11, 29, 11, tzinfo=UTC)])
    feedback = Feedback(database, now=lambda: next(clock))
    feedback.keep(DECISION, "spam", key="ann", task="")
    feedback.keep(DECISION, "ham", key="ann", task="")
    assert [row[1] for row in rows(database)] == ["spam", "ham"]
