"""The decision log beside the requests: what it keeps, shows, drops and tells."""

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.exceptions import ConfigError
from assay.service import Exchange
from assay.telemetry import Counters, DecisionLog, LogPolicy
from assay.telemetry.decisions import log as module
from assay.telemetry.decisions import recording
from assay.telemetry.decisions.hashing import Hashes, read_key
from assay.telemetry.decisions.log import (
    BEHIND,
    BREATH_SECONDS,
    LONG_BREATH_SECONDS,
    LONG_SLICE,
    SLICE,
    pause_for,
)
from assay.telemetry.decisions.names import names_in
from assay.telemetry.decisions.recording import LOOKS, Recording, sampled
from assay.telemetry.decisions.seen import Seen
from tests.telemetry.decisions.deciding import IDS, cascade, decided, decision, logged, wait_for
from tests.telemetry.own import open_under, threads_since

PERSONAL = "call 07700 900123 now"


def written(folder: Path, *given: Any, unknown: Any = None, **policy: Any) -> list[dict[str, Any]]:
    """Return the lines that a log has of decisions."""
    log = DecisionLog(folder, metrics=Counters(), policy=LogPolicy(**policy), unknown=unknown)
    with log.running():
        for each in given:
            log.write(each)
    return logged(folder)


def text_of(counters: Counters) -> str:
    """Return what a scrape reads."""
    return counters.render().decode()


def test_a_decision_is_written_with_its_request(tmp_path: Path) -> None:
    ruled = decision(decided_by="rule", rule="prize", score=None, review=True, label="spam", id=IDS.format(7))
    given = decided("free prize", decisions=[ruled], subject="ann")
    [line] = written(tmp_path / "logs", given)
    key = read_key(tmp_path / "logs")
    assert key is not None
    assert line == {
        "at": "2025-10-13T11:03:02.400000+00:00", "id": IDS.format(7), "task": "spam",
        "model": "SpamClassifier", "version": "3", "label": "spam", "confidence": 0.75, "threshold": 0.5,
        "decided_by": "rule", "rule": "prize", "review": True, "characters": 10,
        "text_hash": Hashes(key).text("free prize"), "subject": Hashes(key).subject("ann"),
        "request_id": "r-1", "key": "shop", "route": "/predict",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kept"), [("hash", None), ("redacted", "call [phone] now"), ("full", PERSONAL)]
)
def test_a_text_is_kept_as_the_policy_says(tmp_path: Path, text: str, kept: str | None) -> None:
    [line] = written(tmp_path, decided(PERSONAL), text=text, key="mine")
    assert (line.get("text"), line["text_hash"]) == (kept, Hashes(b"mine").text(PERSONAL))
    assert [path.name for path in tmp_path.glob("decision.key")] == []


@pytest.mark.parametrize("text", ["hash", "redacted", "full"])
def test_a_text_that_is_not_to_be_kept_leaves_nothing(tmp_path: Path, text: str) -> None:
    [line] = written(tmp_path, decided(PERSONAL, keeps_texts=False), text=text)
    assert not {"text", "text_hash"} & set(line)
    assert line["characters"] == len(PERSONAL)


def test_decisions_of_many_texts_are_written_in_order(tmp_path: Path) -> None:
    given = [decided(*(f"text {part} {each}" for each in range(100))) for part in range(25)]
    ids = [each.id for part in given for each in part.decisions]
    assert [line["id"] for line in written(tmp_path, *given)] == ids


def test_an_id_of_another_kind_was_made_now(tmp_path: Path) -> None:
    [line] = written(tmp_path, decided("x", decisions=[decision(id="mine")]))
    assert line["id"] == "mine"
    assert line["at"] > "2026"


def test_unknown_words_are_looked_at_as_often_as_there_is_time_for(caplog: pytest.LogCaptureFixture) -> None:
    second = [0.0]
    looked = Recording(None, unknown=lambda model, text: len(text) / 3, clock=lambda: second[0])
    given = decided("x")

    def unknown(text: str) -> float | None:
        return looked.note(given, text, given.decisions[0], None)[0].unknown

    shares = [unknown("x") for _ in range(LOOKS + 90)]
    assert shares == [0.3333] * LOOKS + [None] * 90
    second[0] = 1.0
    assert unknown("xx") == 0.6667


def test_a_model_that_cannot_tell_its_unknown_words_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> float:
        raise KeyError("no vocabulary")

    lines = written(tmp_path, decided("a"), decided("b"), unknown=fails)
    assert [line.get("unknown") for line in lines] == [None, None]
    assert [entry.message for entry in caplog.records] == [
        "The share of unknown words cannot be told of task spam."
    ]
    telling_nothing = Recording(None, unknown=lambda *_: None)
    assert telling_nothing.note(decided(), "a", decision(), None)[0].unknown is None


def test_who_watches_sees_every_decision_and_the_log_its_share(tmp_path: Path) -> None:
    seen: list[Seen] = []
    log = DecisionLog(tmp_path, metrics=Counters(), policy=LogPolicy(share=0.25), observers=[seen.extend])
    given = [decided(f"text {number}", number=number) for number in range(2_000)]
    with log.running():
        for each in given:
            log.write(each)
    lines = logged(tmp_path)
    chosen = [IDS.format(number) for number in range(2_000) if sampled(IDS.format(number), 0.25)]
    assert [each.id for each in seen] == [IDS.format(number) for number in range(2_000)]
    assert [line["id"] for line in lines] == chosen
    assert {line["share"] for line in lines} == {0.25}
    assert 400 < len(lines) < 600


def test_without_a_folder_only_those_who_watch_see_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seen: list[Seen] = []
    log = DecisionLog(None, metrics=Counters(), observers=[seen.extend])
    with log.running():
        given = decided(PERSONAL, subject="ann")
        log.write(given)
    assert [(each.id, each.characters) for each in seen] == [(given.decisions[0].id, len(PERSONAL))]
    assert not {"text", "text_hash", "subject"} & {*Seen._fields}
    assert log.state()["folder"] is None
    assert list(tmp_path.iterdir()) == []


def test_who_watches_and_fails_ends_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def fails(_: Sequence[Seen]) -> None:
        raise ZeroDivisionError

    observers = [fails, lambda some: seen.extend(each.id for each in some)]
    log = DecisionLog(tmp_path, metrics=Counters(), observers=observers)
    with log.running():
        for _ in range(2):
            log.write(decided())
            wait_for(lambda: not log.state()["waiting"])
    assert len(seen) == len(logged(tmp_path)) == 2
    assert [entry.message.partition(":")[0] for entry in caplog.records] == ["What watches decisions failed"]


def test_an_odd_decision_is_dropped_and_the_others_are_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters()
    odd = decided("a", "b", decisions=[decision(), decision(id=3)])
    surrogate = decided("x", exchange=Exchange(request_id="\ud800", method="POST", path="/"))
    log = DecisionLog(tmp_path, metrics=counters)
    with log.running():
        for each in (odd, surrogate, decided("good")):
            log.write(each)
    assert [line["characters"] for line in logged(tmp_path)] == [1, 4]
    assert log.state()["dropped"] == 2
    assert "assay_decision_log_dropped_total 2.0" in text_of(counters)
    assert "Decisions of request r-1 have no record." in caplog.text
    assert "cannot be written as a line" in caplog.text


def test_what_waits_too_long_is_dropped_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAITING", 10)
    counters = Counters()
    log = DecisionLog(tmp_path, metrics=counters)
    for _ in range(15):
        log.write(decided())
    assert "assay_decision_log_dropped_total 5.0" in text_of(counters)
    assert (log.state()["waiting"], log.state()["dropped"]) == (10, 5)
    with log.running():
        told = "has no line of 5 decisions: they came faster than they could be written."
        wait_for(lambda: told in caplog.text)
    assert caplog.text.count("has no line of") == 1
    assert len(logged(tmp_path)) == 10
    assert "assay_decision_log_written_total 10.0" in text_of(counters)


def test_texts_that_wait_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_CONTENT", 1_000)
    log = DecisionLog(tmp_path, metrics=Counters())
    log.write(decided("x" * 400))
    log.write(decided("x" * 300, "y" * 301))
    assert log.state()["dropped"] == 2
    log.write(decided("x" * 600))
    assert (log.state()["waiting"], log.state()["dropped"]) == (2, 2)


def test_it_tells_how_it_does(tmp_path: Path) -> None:
    counters = Counters()
    log = DecisionLog(tmp_path, metrics=counters, policy=LogPolicy(text="redacted"))
    log.write(decided())
    threading.Event().wait(0.05)
    state = log.state()
    assert state.pop("lag_seconds") >= 0.05
    assert state == {
        "folder": str(tmp_path), "written": 0, "dropped": 0, "waiting": 1, "text": "redacted",
        "reason": None,
    }  # fmt: skip
    with log.running():
        wait_for(lambda: log.state()["written"])
    told = text_of(counters)
    assert f"assay_decision_log_bytes_total {(tmp_path / 'predictions.jsonl').stat().st_size}.0" in told
    for line in ("written_total 1.0", "waiting 0.0", "lag_seconds 0.0", "dropped_total 0.0"):
        assert f"assay_decision_log_{line}" in told


def test_full_files_are_closed_compressed_and_in_time_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    log = DecisionLog(tmp_path, metrics=Counters(), policy=LogPolicy(rotate_bytes=20_000))
    with log.running():
        for _ in range(10):
            log.write(decided(*["text"] * 50))
            wait_for(lambda: not log.state()["waiting"])
        wait_for(lambda: len([name for name in names_in(tmp_path) if name.kind == "jsonl.gz"]) > 3)
    assert len(logged(tmp_path)) == 500
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.01)
    ended = DecisionLog(tmp_path, metrics=Counters(), policy=LogPolicy(days=1e-9))
    with ended.running():
        wait_for(lambda: all(name.active for name in names_in(tmp_path)))


def test_old_files_are_closed_also_when_nothing_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    log = DecisionLog(tmp_path, metrics=Counters(), policy=LogPolicy(rotate_seconds=0.1, sync="batch"))
    with log.running():
        log.write(decided())
        wait_for(lambda: [name for name in names_in(tmp_path) if not name.active])
        log.write(decided())
        wait_for(lambda: len(logged(tmp_path)) == 2)


def test_a_restarted_worker_goes_on_in_its_file(tmp_path: Path) -> None:
    for _ in range(3):
        lines = written(tmp_path, decided())
    assert len(lines) == 3
    assert [name.path.name for name in names_in(tmp_path)] == ["predictions.jsonl"]


def test_two_workers_have_a_file_each(tmp_path: Path) -> None:
    one, other = (DecisionLog(tmp_path, metrics=Counters()) for _ in range(2))
    with one.running(), other.running():
        for log in (one, other):
            log.write(decided())
            wait_for(lambda log=log: log.state()["written"])
    names = [name.path.name for name in names_in(tmp_path)]
    assert names == ["predictions-2.jsonl", "predictions.jsonl"]


def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "logs", Path("/proc/logs")):
        with pytest.raises(ConfigError, match=r"cannot be used: .*ASSAY_DECISION_FOLDER.*_LOG=false"):
            DecisionLog(folder, metrics=Counters())


def test_a_damaged_key_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "decision.key").write_text("short")
    with pytest.raises(ConfigError, match="damaged"):
        DecisionLog(tmp_path, metrics=Counters())


def test_nothing_runs_before_and_after(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    log = DecisionLog(tmp_path, metrics=Counters())
    assert threads_since(before) == 0
    with log.running():
        assert threads_since(before) == 2
        log.write(decided())
        wait_for(lambda: open_under(tmp_path))
    assert threads_since(before) == 0
    assert open_under(tmp_path) == []
    log.write(decided())
    assert log.state()["dropped"] == 1


def test_lines_wait_for_the_next_write_and_many_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 3_600.0)
    monkeypatch.setattr(module, "MOST_READY", 100)
    log = DecisionLog(tmp_path, metrics=Counters())
    with log.running():
        log.write(decided())
        wait_for(lambda: log.state()["written"] == 1)
        log.write(decided(*["text"] * 60))
        wait_for(lambda: len(log._ready) == 60 and not log._lines)
        assert (log.state()["written"], log.state()["waiting"]) == (1, 60)
        assert log.state()["lag_seconds"] < 3_600
        log.write(decided(*["text"] * 60))
        wait_for(lambda: log.state()["written"] == 121)
        log.write(decided())
    assert len(logged(tmp_path)) == 122


def test_pauses_are_shorter_the_more_decisions_wait() -> None:
    assert pause_for(0) == LONG_BREATH_SECONDS
    assert pause_for(BEHIND // 2) == pytest.approx(LONG_BREATH_SECONDS / 2)
    assert pause_for(BEHIND) == pause_for(10 * BEHIND) == BREATH_SECONDS


@pytest.mark.parametrize(("behind", "pauses"), [(1_024, 32), (512, 4)])
def test_pauses_are_rarer_where_many_decisions_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: int, pauses: int
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module, "BEHIND", behind)
    log = DecisionLog(tmp_path, metrics=Counters())
    log._offer(decided(*["text"] * 512), 512, 2_048)
    log._breath_at = SLICE if behind > 512 else LONG_SLICE
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", slept.append)
        log._write_batch()
    assert slept == [LONG_BREATH_SECONDS / 2 if behind > 512 else BREATH_SECONDS] * pauses


def test_a_sample_is_the_same_each_time_and_of_its_size() -> None:
    ids = [IDS.format(number) for number in range(5_000)]
    for share in (0.01, 0.5, 0.99):
        chosen = [each for each in ids if sampled(each, share)]
        assert chosen == [each for each in ids if sampled(each, share)]
        assert len(chosen) / 5_000 == pytest.approx(share, abs=0.03)
    assert all(sampled(each, 1.0) for each in ids)


def test_lines_are_of_what_the_cascade_decided(tmp_path: Path) -> None:
    texts = ["free prize, call now", "lunch tomorrow?"]
    decisions = cascade().decide(texts)
    lines = written(tmp_path, decided(*texts, decisions=decisions))
    for line, given in zip(lines, decisions, strict=True):
        told = json.loads(json.dumps(given.to_dict()))
        assert {
            name: line[name] for name in ("id", "label", "score", "confidence", "threshold", "version")
        } == {name: told[name] for name in ("id", "label", "score", "confidence", "threshold", "version")}


def test_messages_are_of_this_log(caplog: pytest.LogCaptureFixture) -> None:
    assert recording.logger.name.startswith("assay.telemetry.decisions")
    assert caplog.records == []
    assert logging.getLogger("assay").isEnabledFor(logging.ERROR)
