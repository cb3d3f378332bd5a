"""What counts of what keys say: the newest, the majority, and who may speak."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.database import Database
from assay.telemetry import Vote, resolve
from assay.telemetry.feedback import votes as module
from assay.telemetry.feedback.votes import count_unmatched, leading_key, majority, votes
from tests.telemetry.feedback.logs import NOW, id_at, record, say, write_active

ALL = {"since": 0.0, "until": NOW * 2}


def counted(database: Database, task: str = "spam") -> list[Vote]:
    """Return all votes on a task."""
    return list(votes(database, task, **ALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a log."""
    return tmp_path / "logs"


def test_a_mind_that_changed_counts_by_its_newest_label(people_uri: str, folder: Path) -> None:
    database = Database(people_uri)
    one, other = sorted((record(), record()), key=lambda each: each.id)
    write_active(folder, [one, other])
    for label in ("spam", "ham", "spam"):
        say(database, [one], label)
    for label in ("spam", "ham"):
        say(database, [other], label)
    resolve(database, folder)
    first, second = counted(database)
    assert (first.label, dict(first.said), first.contradicted) == ("spam", {"ann": "spam"}, False)
    assert (second.label, dict(second.said), second.contradicted) == ("ham", {"ann": "ham"}, False)


def test_of_keys_that_contradict_each_other_the_majority_counts_and_a_tie_as_none(
    people_uri: str, folder: Path
) -> None:
    database = Database(people_uri)
    two, three = sorted((record(), record()), key=lambda each: each.id)
    write_active(folder, [two, three])
    say(database, [two, three], "ham", "ann")
    say(database, [two, three], "spam", "bob")
    say(database, [three], "spam", "cid")
    resolve(database, folder)
    tied, clear = counted(database)
    assert (tied.label, tied.contradicted, tied.keys) == (None, True, ())
    assert (clear.label, clear.contradicted, clear.keys) == ("spam", True, ("bob", "cid"))
    assert (clear.without("cid"), clear.without("ann")) == (None, "spam")


def test_who_asks_for_decisions_speaks_of_its_own_and_a_reviewer_of_all(
    people_uri: str, folder: Path
) -> None:
    database = Database(people_uri)
    mine, theirs = sorted((record(key="app"), record(key="other")), key=lambda each: each.id)
    write_active(folder, [mine, theirs])
    say(database, [mine, theirs], "ham", "app", reviewer=False)
    resolve(database, folder)
    own, foreign = counted(database)
    assert (own.label, own.foreign) == ("ham", 0)
    assert (foreign.label, foreign.foreign, dict(foreign.said)) == (None, 1, {})
    say(database, [theirs], "spam", "ann", reviewer=True)
    assert [vote.label for vote in counted(database)] == ["ham", "spam"]


def test_a_label_meant_for_another_task_is_not_counted(people_uri: str, folder: Path) -> None:
    database, one = Database(people_uri), record()
    write_active(folder, [one])
    say(database, [one], "negative", task="sentiment")
    resolve(database, folder)
    (vote,) = counted(database)
    assert (vote.label, vote.astray, vote.foreign) == (None, 1, 0)
    assert counted(database, "sentiment") == []


def test_only_decisions_of_the_span_are_given(people_uri: str, folder: Path) -> None:
    database = Database(people_uri)
    early, late = record(NOW), record(NOW + 100)
    write_active(folder, [early, late])
    say(database, [early, late])
    resolve(database, folder)
    assert [v.decision for v in votes(database, "spam", since=NOW, until=NOW + 100)] == [early.id]
    assert [v.decision for v in votes(database, "spam", since=NOW + 1, until=NOW + 101)] == [late.id]


def test_pages_part_no_decision(people_uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(people_uri)
    records = [record() for _ in range(4)]
    write_active(folder, records)
    for key in ("ann", "bob", "cid"):
        say(database, records, "spam", key)
    resolve(database, folder)
    whole = counted(database)
    assert [len(vote.said) for vote in whole] == [3] * 4
    for page in (1, 2, 5, 12):
        monkeypatch.setattr(module, "PAGE", page)
        assert counted(database) == whole


def test_what_the_log_does_not_have_is_counted_by_the_task_that_was_named(people_uri: str) -> None:
    database = Database(people_uri)
    one, two = id_at(NOW), id_at(NOW)
    say(database, [one], "spam")
    say(database, [one, two], "ham", "bob", task="spam")
    say(database, [id_at(NOW)], "ham", task="sentiment")
    span = {"since": 0.0, "until": NOW * 2}
    assert count_unmatched(database, "spam", **span) == (3, 2)
    assert count_unmatched(database, "abuse", **span) == (1, 1)
    assert count_unmatched(database, "spam", since=0.0, until=NOW / 2) == (0, 0)


def test_who_gave_most_is_known(people_uri: str, folder: Path) -> None:
    database = Database(people_uri)
    records = [record() for _ in range(3)]
    write_active(folder, records)
    assert leading_key(database, "spam", **ALL) is None
    say(database, records, key="bob")
    say(database, records[:2], key="ann")
    resolve(database, folder)
    assert leading_key(database, "spam", **ALL) == "bob"


@given(st.lists(st.sampled_from(["ham", "spam", "other"]), max_size=9))
def test_a_majority_has_more_than_any_other(labels: Sequence[str]) -> None:
    found = majority({str(at): label for at, label in enumerate(labels)})
    counts = sorted((labels.count(label) for label in set(labels)), reverse=True)
    if found is None:
        assert not counts or counts[0] == counts[1]
    else:
        assert labels.count(found) == counts[0]
        assert len(counts) == 1 or counts[0] > counts[1]


def test_two_hundred_thousand_labels_of_one_client_are_counted_soon(people_sqlite: str) -> None:
    database, many = Database(people_sqlite), 200_000
    with database.reading():
        pass
    with closing(sqlite3.connect(people_sqlite.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) INSERT INTO "
            "feedback SELECT printf('%012x7%019x', 1764400000000 + i, i), 'spam', 'app', '', "
            "'2025-11-30T00:00:00.000000+00:00', 0 FROM n"
        )
        raw.execute(
            "INSERT INTO judged SELECT decision, 'spam', '1', 'spam', 0.9, 'model', 0, 'app', "
            "'2025-11-29T12:00:00.000000+00:00' FROM feedback WHERE rowid % 2"
        )
    began = time.process_time()
    found = sum(1 for _ in votes(database, "spam", **ALL))
    assert (found, leading_key(database, "spam", **ALL)) == (many // 2, "app")
    assert count_unmatched(database, "spam", **ALL) == (many // 2, many // 2)
    # Some three seconds; a page that began anew each time would take minutes.
    assert time.process_time() - began < 30
