"""The audit log: what is written is read, nothing is changed unseen, and nothing is lost."""

import json
import signal
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from assay.audit import AuditLog, Entry
from assay.database import Database
from assay.exceptions import DatabaseError
from tests.audit.entries import append, written
from tests.databases import answer, beside, end, hear

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)


def test_what_is_written_is_read(people_uri: str) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=1)))
    log = AuditLog(Database(people_uri), clock=lambda: elsewhere)
    first = append(log, "3", who="ada", action="promoting", reason="it's 100%", evidence={"f1": 0.1 + 0.2})
    second = append(log, "3", who="bob", before="2", model="Abuse", seat="staging", kind="override")
    assert (first.number, first.previous, first.at) == (1, "", NOON)
    assert (second.number, second.previous, second.evidence) == (2, first.hash, {})
    assert log.entries() == [first, second]
    assert log.entries("Spam") == [first]
    assert log.entries("spam") == []
    assert [each.at.utcoffset() for each in log.entries()] == [timedelta(0)] * 2


def test_the_hash_is_that_of_canonical_json_of_all_other_fields(people_sqlite: str) -> None:
    entry = append(
        AuditLog(Database(people_sqlite), clock=lambda: NOON), "3", evidence={"b": [1.5, None], "a": "é"}
    )
    fields = {
        **{"number": 1, "at": "2026-11-17T12:00:00.000000+00:00", "who": "ada", "action": "promoted"},
        **{"model": "Spam", "seat": "production", "before": None, "after": "3", "reason": ""},
        **{"kind": "promotion", "evidence": {"a": "é", "b": [1.5, None]}, "previous": ""},
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert entry.hash == sha256(canonical.encode()).hexdigest()
    assert set(fields) | {"hash"} == set(Entry.model_fields)


@given(
    evidence=st.dictionaries(
        st.text(st.characters()),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters()),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    ),
    reason=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_any_json_and_any_words_survive_and_verify(evidence: dict[str, JsonValue], reason: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Database(f"sqlite:///{folder}/assay.db"))
        entry = append(log, evidence=evidence, reason=reason)
        assert entry.reason == reason
        assert repr(entry.evidence) == repr(json.loads(json.dumps(evidence, sort_keys=True)))
        assert log.entries() == [entry]
        assert log.verify().faults == ()


def test_odd_words_and_numbers_survive_on_postgresql(people_postgres: str) -> None:
    log = AuditLog(Database(people_postgres))
    evidence: dict[str, JsonValue] = {
        "words": "\0 \ud800 \U0001f600 é é \r\n",
        "numbers": [-0.0, 5e-324, 1.7976931348623157e308, 10**40, 0.1 + 0.2, 1, 1.0],
    }
    entry = append(log, evidence=evidence, reason="naïve\n日本\u202e")
    assert repr(log.entries()[0].evidence["numbers"]) == repr(evidence["numbers"])
    assert log.entries() == [entry]
    assert log.verify().faults == ()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [1, {"x": float("-inf")}], object(), b"bytes", {1, 2}]
)
def test_evidence_that_json_cannot_hold_is_refused(people_sqlite: str, value: object) -> None:
    log = AuditLog(Database(people_sqlite))
    with pytest.raises(DatabaseError, match="is not JSON and cannot be kept"):
        append(log, evidence={"value": value})
    assert log.entries() == []


def test_evidence_without_an_end_is_refused(people_sqlite: str) -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (endless, deep, 10**5000):
        with pytest.raises(DatabaseError, match="is not JSON"):
            append(AuditLog(Database(people_sqlite)), evidence={"value": value})


@pytest.mark.parametrize(
    "field",
    [
        *({"who": ""}, {"who": "\ud800"}, {"model": ""}, {"reason": "a\0b"}, {"after": "\0"}),
        *({"action": "moved"}, {"seat": "attic"}, {"kind": "joke"}, {"reason": None}),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name(people_sqlite: str, field: dict[str, Any]) -> None:
    log = AuditLog(Database(people_sqlite))
    with pytest.raises(DatabaseError, match=rf"(?s)cannot be an entry.*  {next(iter(field))}: "):
        append(log, **field)
    assert log.entries() == []


def test_a_clock_that_runs_backwards_is_noted_and_not_followed(people_uri: str) -> None:
    times = iter([NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)])
    log = AuditLog(Database(people_uri), clock=lambda: next(times))
    entries = [append(log, evidence={"f1": 0.9}) for _ in range(3)]
    assert [each.at for each in entries] == [NOON, NOON, NOON + timedelta(seconds=1)]
    assert [each.evidence.get("clock") for each in entries] == [None, "2026-11-17T11:00:00+00:00", None]
    assert entries[1].evidence["f1"] == 0.9
    assert log.verify().faults == ()


def test_processes_that_append_at_once_lose_nothing(people_uri: str) -> None:
    script = """
from assay.audit import AuditLog
log = AuditLog(database)
tell("ready")
for number in range(25):
    log.append(who=sys.argv[2], action="promoted", model="Spam", seat="production",
               before=None, after=str(number), kind="promotion")
"""
    with ExitStack() as stack:
        processes = [stack.enter_context(beside(script, people_uri, who)) for who in ("ada", "bob")]
        for process in processes:
            hear(process, "ready")
        for process in processes:
            answer(process)
        assert [end(process) for process in processes] == [0, 0]
    log = AuditLog(Database(people_uri))
    entries = log.entries()
    assert [each.number for each in entries] == list(range(1, 51))
    for who in ("ada", "bob"):
        assert [each.after for each in entries if each.who == who] == [str(each) for each in range(25)]
    assert log.verify().faults == ()


def test_a_process_killed_while_it_appends_leaves_whole_entries(people_uri: str) -> None:
    written(people_uri, 2)
    script = """
from assay.audit import AuditLog
def clock():
    tell("inside")
log = AuditLog(database, clock=clock)
log.append(who="eve", action="promoted", model="Spam", seat="production", before=None, after="9",
           kind="promotion")
"""
    with beside(script, people_uri) as process:
        hear(process, "inside")
        process.send_signal(signal.SIGKILL)
        assert end(process) == -signal.SIGKILL
    log = AuditLog(Database(people_uri))
    append(log, "3")
    assert [each.who for each in log.entries()] == ["ada"] * 3
    assert log.verify().faults == ()
