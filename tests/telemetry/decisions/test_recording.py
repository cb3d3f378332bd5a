"""What a decision becomes in the log: the very line that its record has."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.service import Exchange
from assay.telemetry import Record
from assay.telemetry.decisions.hashing import Hashes
from assay.telemetry.decisions.record import line_of, read_line
from assay.telemetry.decisions.recording import Recording, sampled
from tests.telemetry.decisions.deciding import IDS, decided, decision

KEY = b"k" * 32
TEXT = st.text(st.characters(codec="utf-8"))
SHARE = st.floats(0, 1)
DECISIONS = st.fixed_dictionaries(
    {
        "task": TEXT, "label": TEXT, "confidence": SHARE, "score": st.none() | SHARE,
        "threshold": st.none() | SHARE, "decided_by": st.sampled_from(["rule", "model"]), "model": TEXT,
        "version": TEXT, "rule": st.none() | TEXT, "review": st.booleans(),
        "id": st.tuples(st.integers(0, 2**41), st.integers(0, 99)).map(
            lambda drawn: f"{drawn[0]:012x}7abc8def{drawn[1]:012x}"
        ),
    }
)  # fmt: skip


def line(recording: Recording, text: str, known: dict[str, Any], subject: str | None = None) -> bytes:
    """Return the line of one decision."""
    told = decided(text, decisions=[decision(**known)], subject=subject)
    _, fields = recording.note(told, text, told.decisions[0], recording.subject(told))
    assert fields is not None
    return line_of(fields)


RULED = {
    "decided_by": "rule", "rule": "prêtre", "score": None, "threshold": None, "review": True,
    "label": "spam", "confidence": 1e-7, "id": "0199dd3cf7ff7abc8def000000000002",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kept", "subject", "known", "written"),
    [
        (
            "lunch tomorrow?", "hash", None, {"id": IDS.format(1)},
            '{"at":"2025-10-13T11:03:02.400000+00:00","id":"0199dd3cf0007abc8def000000000001",'
            '"task":"spam","model":"SpamClassifier","version":"3","label":"ham","confidence":0.75,'
            '"score":0.25,"threshold":0.5,"characters":15,"text_hash":"e728aad79c2aa309c69aaa7c1026b28f",'
            '"request_id":"r-1","key":"shop","route":"/predict"}\n',
        ),
        (
            "call 07700 900123 日本", "redacted", "ann", RULED,
            '{"at":"2025-10-13T11:03:04.447000+00:00","id":"0199dd3cf7ff7abc8def000000000002",'
            '"task":"spam","model":"SpamClassifier","version":"3","label":"spam","confidence":1e-7,'
            '"decided_by":"rule","rule":"prêtre","review":true,"characters":20,'
            '"text_hash":"7e9c0b169f65ac77336efdd3ecda598f","text":"call [phone] 日本",'
            '"subject":"4238b3c0f310e614c70aefe9c915fd85","request_id":"r-1","key":"shop",'
            '"route":"/predict"}\n',
        ),
        (
            "", "full", None, {"id": IDS.format(1)},
            '{"at":"2025-10-13T11:03:02.400000+00:00","id":"0199dd3cf0007abc8def000000000001",'
            '"task":"spam","model":"SpamClassifier","version":"3","label":"ham","confidence":0.75,'
            '"score":0.25,"threshold":0.5,"text_hash":"d09694304f6b450f3cc7dedbb3398aeb","text":"",'
            '"request_id":"r-1","key":"shop","route":"/predict"}\n',
        ),
    ],
)  # fmt: skip
def test_a_line_is_that_of_versions_before(
    text: str, kept: Any, subject: str | None, known: dict[str, Any], written: str
) -> None:
    assert line(Recording(Hashes(KEY), text=kept), text, known, subject) == written.encode()


@given(DECISIONS, TEXT, st.none() | TEXT, st.sampled_from([1.0, 1 - 2**-40]), st.none() | SHARE)
def test_a_line_is_that_of_its_record(
    known: dict[str, Any], text: str, subject: str | None, share: float, unknown: float | None
) -> None:
    recording = Recording(Hashes(KEY), text="full", share=share, unknown=lambda *_: unknown)
    found = read_line(line(recording, text, known, subject))
    assert found is not None
    assert line(recording, text, known, subject) == found.line()
    hashes = Hashes(KEY)
    told = {
        "characters": len(text), "text": text, "text_hash": hashes.text(text), "share": share,
        "subject": hashes.subject(subject) if subject else None, "request_id": "r-1", "key": "shop",
        "route": "/predict", "unknown": found.unknown,
    }  # fmt: skip
    assert found == Record(at=int(known["id"][:12], 16) / 1000, **known, **told)


def test_each_moment_is_the_one_in_the_id() -> None:
    recording = Recording(Hashes(KEY))
    one, other, odd = IDS.format(1), "0199dd3cf0017abc8def000000000001", "0199dd3cf0007"
    found = [read_line(line(recording, "a", {"id": each})) for each in (one, other, one, odd, one)]
    moments = [round(record.at, 3) for record in found if record]
    assert (moments[0], moments[1]) == (1_760_353_382.4, 1_760_353_382.401)
    assert moments[2] == moments[4] == moments[0] < moments[3]


def test_those_who_watch_see_what_the_line_says() -> None:
    recording = Recording(Hashes(KEY), share=1e-9, unknown=lambda *_: 0.5)
    told = decided("free prize", decisions=[decision(**RULED)])
    seen, fields = recording.note(told, "free prize", told.decisions[0], None)
    assert not sampled(told.decisions[0].id, 1e-9)
    assert fields is None
    whole = line(Recording(Hashes(KEY), unknown=lambda *_: 0.5), "free prize", RULED)
    record = read_line(whole)
    assert {name: getattr(record, name) for name in seen._fields} == seen._asdict()


def test_what_is_unknown_of_a_request_is_left_out() -> None:
    asked = Exchange(request_id="", method="POST", path="/", route="")
    told = decided("a", exchange=asked, keeps_texts=False)
    recording = Recording(Hashes(KEY), text="full")
    _, fields = recording.note(told, "a", told.decisions[0], None)
    assert fields is not None
    assert not {"request_id", "key", "route", "subject", "text", "text_hash", "share"} & set(fields)
