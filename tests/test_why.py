"""Everything about one decision, end to end on a real registry, and with each part of it gone."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assay.cli import main
from assay.database import Database
from assay.estimators import Cascade, load_artifact
from assay.settings import Settings
from assay.telemetry import Feedback, Hashes, Record
from tests.moving import Mover
from tests.telemetry.decisions.written import record, write_active

KEY = b"k" * 32
HASHES = Hashes(KEY)
TEXT = "free prize, call now on 0800 123 456"
REDACTED = "free prize, call now on [PHONE]"


def logged(cascade: Cascade, text: str, *, kept: str | None, **fields: object) -> Record:
    """Return the record of what a cascade decides about a text, a moment ago."""
    [made] = cascade.decide([text])
    values = {name: getattr(made, name) for name in ("id", "task", "model", "version", "label", "confidence")}
    values |= {name: getattr(made, name) for name in ("score", "threshold", "decided_by", "rule", "review")}
    values |= {"characters": len(text), "text": kept, "text_hash": HASHES.text(text)}
    values |= {"request_id": "r1", "key": "shop", "route": "/predict"}
    return Record(at=time.time(), **{**values, **fields})


@pytest.fixture
def place(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a user whose registry has spam in two versions, the first in production."""
    monkeypatch.setenv("ASSAY_HOME", str(mover.settings.home))
    monkeypatch.chdir(mover.settings.home)
    mover.settings.decisions.mkdir()
    (mover.settings.decisions / "decision.key").write_text(KEY.hex())
    return mover.settings


@pytest.fixture
def first(spam_artifact: Path) -> Cascade:
    """The cascade of version 1."""
    return load_artifact(spam_artifact).at_version("1")


def why(capsys: pytest.CaptureFixture[str], identifier: str, *options: str, code: int = 0) -> str:
    """Return what the command says."""
    capsys.readouterr()
    assert main(["why", identifier, *options]) == code
    told = capsys.readouterr()
    return told.err if code else told.out


def test_a_decision_is_told_with_all_that_is_known(
    place: Settings, first: Cascade, capsys: pytest.CaptureFixture[str]
) -> None:
    made = logged(first, TEXT, kept=TEXT, unknown=0.25)
    write_active(place.decisions, [record(1), made])
    Feedback(Database(place.people)).keep(made.id, "ham", key="ann", task="spam", reviewer=False)
    out = why(capsys, made.id.upper())
    assert f"Decision {made.id} of 20" in out
    assert f"  spam: spam, confidence {made.confidence:.4f}" in out
    assert f"score {made.score:.4f}, {made.score - 0.5:.4f} over the threshold 0.5" in out
    assert "text of 36 characters, 25% of its first words unknown" in out
    assert "request r1 by the key shop on /predict" in out
    assert "Version 1 of SpamClassifier:" in out
    assert "in production now" in out
    assert "promoted   production - -> 1  override by ann" in out
    assert "why: for a test" in out
    assert f"Words of the logged text: {TEXT}" in out
    assert "'prize' (w" in out
    assert "together, the logit of spam" in out
    assert "comes out" not in out
    assert "  ann disagrees: ham" in out
    told = json.loads(why(capsys, made.id, "--json"))
    assert told["decision"]["id"] == made.id
    assert told["decision"]["distance"] == pytest.approx(made.score - 0.5)
    assert told["version"]["registered"]["in_production"]
    assert told["version"]["production"]["tenure"]["who"] == "ann"
    assert told["version"]["production"]["at_decision"]
    assert (told["text"]["redacted"], told["text"]["differs"]) == (False, False)
    assert told["text"]["explanation"]["ngrams"]
    assert [each["label"] for each in told["feedback"]["said"]] == ["ham"]
    assert not told["feedback"]["judged"]


def test_a_redacted_text_is_told_as_redacted(
    place: Settings, first: Cascade, capsys: pytest.CaptureFixture[str], spam_artifact: Path
) -> None:
    made = logged(first, TEXT, kept=REDACTED)
    same = replace(logged(first, REDACTED, kept=REDACTED), text_hash=made.text_hash)
    write_active(place.decisions, [made, same])
    out = why(capsys, made.id)
    assert f"Words of the logged redacted text: {REDACTED}" in out
    assert ("what was replaced had a part" in out) == (first.decide([REDACTED])[0].score != made.score)
    assert "it comes out the same; what was replaced is not among the words" in why(capsys, same.id)
    (place.decisions / "decision.key").unlink()
    assert "text, perhaps redacted," in why(capsys, same.id)


def test_a_decision_that_comes_out_otherwise_now_is_told(
    place: Settings, first: Cascade, capsys: pytest.CaptureFixture[str]
) -> None:
    made = replace(logged(first, TEXT, kept=TEXT), label="ham", score=0.1, confidence=0.9)
    odd = replace(made, id=record(8).id, score=None, rule="nonesuch", decided_by="rule", text=" ")
    write_active(place.decisions, [made, odd])
    out = why(capsys, made.id)
    assert "under the threshold" in out
    assert "It comes out as spam with score" in out
    assert "another artifact" in out
    out = why(capsys, odd.id)
    assert "The version has no rule 'nonesuch'" in out
    assert "the logged text is empty" in out


def test_without_the_text_the_setting_is_named(
    place: Settings, first: Cascade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = logged(first, TEXT, kept=None, key="", share=0.25)
    write_active(place.decisions, [made])
    out = why(capsys, made.id)
    assert "with redacted or full, of decisions from then on" in out
    assert "without a key" in out
    assert "logged while a share of 0.25" in out
    assert "Feedback: none was given." in out
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "full")
    assert "ASSAY_DECISION_TEXT was 'hash' then" in why(capsys, made.id)


def test_a_version_that_left_production(
    place: Settings, mover: Mover, first: Cascade, capsys: pytest.CaptureFixture[str], other_artifact: Path
) -> None:
    other = load_artifact(other_artifact).at_version("2")
    before, pinned = logged(first, TEXT, kept=None), logged(other, TEXT, kept=None)
    write_active(place.decisions, [before, pinned])
    out = why(capsys, pinned.id)
    assert "was not in production before this decision: a request may have named it" in out
    mover.promote("2")
    late = replace(logged(first, TEXT, kept=None), at=time.time() + 1)
    write_active(place.decisions, [before, pinned, late])
    out = why(capsys, before.id)
    assert "not in production any more; it is Archived" in out
    assert "At the decision" not in out
    assert "At the decision version 2 was in production" in why(capsys, late.id)


def test_a_rule_is_told_with_its_pattern(
    place: Settings, ruled_artifact: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cascade = load_artifact(ruled_artifact)
    rule = cascade.rules.deciding[0]
    by_rule = logged(cascade, rule.examples[0], kept=rule.examples[0])
    assert by_rule.rule == rule.id
    evident = logged(cascade, f"{cascade.rules.evidence[0].examples[0]} lunch", kept="lunch tomorrow?")
    write_active(place.decisions, [by_rule, evident])
    assert "ASSAY_MODELS names none of the task 'spam' here" in why(capsys, by_rule.id)
    monkeypatch.setenv("ASSAY_MODELS", str(ruled_artifact))
    out = why(capsys, by_rule.id)
    assert f"decided by the rule {rule.id}; the model was not asked" in out
    assert f"Rule {rule.id}" in out
    assert f"finds {rule.pattern} in the {rule.view} text and decides {rule.label}" in out
    assert "answered from an artifact folder" in out
    assert f"rule {rule.id} (decide {rule.label})" in out
    assert "together, the logit" in why(capsys, evident.id)


def test_more_than_two_labels(
    place: Settings, abuse_artifact: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_MODELS", f"{abuse_artifact}, ")
    made = logged(load_artifact(abuse_artifact), "you are all idiots", kept="you are all idiots")
    write_active(place.decisions, [made])
    assert f"score {made.score:.4f} of the positive label" in why(capsys, made.id)


def test_what_is_gone_is_named_and_the_rest_told(
    place: Settings, first: Cascade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = logged(first, TEXT, kept=TEXT)
    write_active(place.decisions, [made, replace(made, id=record(9).id, version="99")])
    assert "has no version '99'" in why(capsys, record(9).id)
    monkeypatch.setenv("ASSAY_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("ASSAY_DATABASE", f"sqlite:///{place.home}")
    out = why(capsys, made.id)
    assert "The registry does not tell of it: " in out
    assert "Who put it into production is not known: " in out
    assert "the version cannot be opened" in out
    assert "Feedback: not known." in out
    assert f"score {made.score:.4f}" in out
    told = json.loads(why(capsys, made.id, "--json"))
    assert "unavailable" in told["version"]["registered"]
    assert "unavailable" in told["version"]["production"]
    assert "unavailable" in told["text"]
    assert "unavailable" in told["feedback"]


def test_a_decision_that_is_not_in_the_log(
    place: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = why(capsys, record(1).id, code=1)
    assert "made at 2026-11-17 12:00:01 UTC by its id, is not in the decision log" in out
    assert "It is empty." in out
    write_active(place.decisions, [record(50)])
    out = why(capsys, record(1).id, code=1)
    assert "It covers 2026-11-17 12:00:50 UTC until 2026-11-17 12:00:50 UTC." in out
    assert "older than ASSAY_DECISION_DAYS (30)" in out
    assert "ASSAY_DECISION_FOLDER" in out
    monkeypatch.setenv("ASSAY_DECISION_SHARE", "0.1")
    out = why(capsys, record(60).id, code=1)
    assert "its subject was erased" in out
    assert "ASSAY_DECISION_SHARE=0.1" in out
    (place.decisions / "predictions-2.jsonl").mkdir()
    assert "could not be read" in why(capsys, "8a5b0c9d-2f3e-4a61-8a5b-0c9d2f3e4a61", code=1)
    assert "is no decision's id" in why(capsys, "42", code=1)
    shutil.rmtree(place.decisions)
    assert "There is no decision log" in why(capsys, record(1).id, code=1)
