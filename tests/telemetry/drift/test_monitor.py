"""The watch on a service: workers, elections, swaps, faults."""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.estimators import Profile
from assay.telemetry import Counters, DriftMonitor
from assay.telemetry.drift import monitor as module
from assay.telemetry.drift.tallies import MOST_VERSIONS
from tests.telemetry.drift.profiles import PROFILE, Sink, record, spammy, usual, worker


@pytest.fixture(params=[True, False], ids=["in a folder", "alone"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where workers share, or None."""
    return tmp_path / "drift" if request.param else None


def test_an_alarm_is_logged_counted_and_shown(place: Path | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sink = Sink()
    watch = worker(place, sink, at=86_400.0)
    assert watch.state() == {}
    watch.observe(usual(1_000))
    watch.look()
    before = watch.state()["spam"]
    assert (before["version"], before["decisions"], before["reason"]) == ("3", 1_000, None)
    assert {each["alarm_since"] for each in before["statistics"].values()} == {None}
    watch.observe(spammy(1_000))
    watch.look()
    [(level, said)] = [(each.levelname, each.message) for each in caplog.records if "(above)" in each.message]
    assert level == "WARNING"
    assert said == (
        "Drift of spam 3 (above): 100 % of the last 1,000 decisions have a score at or above the threshold, "
        "11 % when it was trained (PSI 8.71); look with: assay drift spam --since 1h"
    )
    shown = watch.state()["spam"]["statistics"]["above"]
    assert shown["alarm_since"] == "1970-01-02T00:00:00+00:00"
    assert shown["psi"] > 5
    assert shown["p"] < 1e-9
    task, version, scores, alarms, decisions = sink.told[-1]
    assert (task, version, decisions) == ("spam", "3", 2_000)
    assert scores["above"] == pytest.approx(shown["psi"], abs=1e-4)
    assert "above" in alarms
    watch.observe(usual(1_000))
    watch.look()
    watch.observe(usual(1_000))
    watch.look()
    assert "Drift of spam 3 (above) is over: 1" in caplog.text
    assert sink.told[-1][3] == []


def test_without_a_profile_health_says_so(place: Path | None) -> None:
    watch = worker(place)
    watch.observe([record(version="0"), record(version="0")])
    watch.look()
    state = watch.state()["spam"]
    assert (state["version"], state["decisions"], state["statistics"]) == ("0", 2, {})
    assert state["reason"].startswith("no profile is known: the version was made before there were profiles")


def test_before_a_full_window_health_says_so(place: Path | None) -> None:
    watch = worker(place)
    watch.observe(usual(250))
    watch.look()
    assert watch.state()["spam"]["reason"] == "too few decisions yet: 250; 1,000 are needed"


def test_a_swap_begins_a_window_of_its_own(place: Path | None) -> None:
    sink = Sink()
    watch = worker(place, sink)
    watch.observe(spammy(1_000))
    watch.look()
    assert sink.told[-1][3]
    watch.observe([record(version="4") for _ in range(10)])
    watch.look()
    state = watch.state()["spam"]
    assert (state["version"], state["decisions"], state["statistics"]) == ("4", 10, {})


def test_a_profile_that_comes_later_is_counted_by_from_then_on(place: Path | None) -> None:
    found: list[Profile] = []
    watch = DriftMonitor(lambda *_: found[0] if found else None, Sink(), place)
    watch.observe(usual(700))
    watch.look()
    assert "no profile" in watch.state()["spam"]["reason"]
    found.append(PROFILE)
    watch.observe(usual(800))
    watch.look()
    assert watch.state()["spam"]["reason"] == "too few decisions yet: 800; 1,000 are needed"


def test_records_of_several_tasks_are_told_apart() -> None:
    watch = worker(None)
    watch.observe([])
    watch.observe([record(task=task, version=version) for task in ("a", "b") for version in "121"])
    watch.look()
    assert {task: each["decisions"] for task, each in watch.state().items()} in (
        {"a": 1, "b": 1},
        {"a": 2, "b": 2},
    )


def test_versions_that_are_kept_have_a_bound(place: Path | None) -> None:
    watch = worker(place)
    for version in range(1, MOST_VERSIONS + 20):
        watch.observe([record(task=f"task-{version}")])
        watch.look()
    assert len(watch.state()) == MOST_VERSIONS
    assert "task-1" not in watch.state()


def test_a_version_that_was_forgotten_begins_anew(tmp_path: Path) -> None:
    first, second = worker(tmp_path), worker(tmp_path)
    first.observe(usual(600))
    second.observe(usual(600))
    first.look()
    second.look()
    first.look()
    assert first.state()["spam"]["decisions"] == 1_200
    second.observe([record(task=f"task-{number}") for number in range(MOST_VERSIONS)])
    second.observe([record(task=f"task-{number}") for number in range(MOST_VERSIONS)])
    second.look()
    first.look()
    second.observe(usual(50))
    second.look()
    first.look()
    assert first.state()["spam"]["decisions"] == 50


def test_a_version_that_one_worker_forgot_while_another_went_on_begins_anew(tmp_path: Path) -> None:
    leader, other = worker(tmp_path), worker(tmp_path)
    leader.observe(usual(100))
    leader.look()
    other.observe(usual(600))
    other.look()
    leader.look()
    other.observe([record(task=f"task-{number}") for number in range(MOST_VERSIONS)])
    other.observe(usual(1))
    other.look()
    leader.observe(spammy(900))
    leader.look()
    leader.observe(usual(10))
    leader.look()
    assert leader.state()["spam"]["decisions"] == 10


def test_workers_are_added_up_and_one_is_elected(tmp_path: Path) -> None:
    sinks = [Sink(), Sink(), Sink()]
    workers = [worker(tmp_path, sink) for sink in sinks]
    for each in workers:
        each.observe(usual(400))
        each.look()
    workers[0].look()
    assert [bool(sink.told) for sink in sinks] == [True, False, False]
    assert [each.state()["spam"]["decisions"] for each in workers] == [1_200] * 3
    alone = worker(None)
    alone.observe([*usual(400)] * 3)
    alone.look()
    assert alone.state()["spam"]["statistics"] == workers[2].state()["spam"]["statistics"]


def test_a_worker_that_does_not_know_the_version_yet_hides_nothing(tmp_path: Path) -> None:
    without, knowing = DriftMonitor(lambda *_: None, Sink(), tmp_path), worker(tmp_path)
    for watch in (without, knowing):
        watch.observe(usual(1_000))
        watch.look()
    without.look()
    assert without.state()["spam"]["decisions"] == 1_000
    assert without.state()["spam"]["statistics"]


def test_the_counts_of_one_that_died_stay_and_another_goes_on(tmp_path: Path) -> None:
    dead, sink = worker(tmp_path), Sink()
    dead.observe(spammy(1_000))
    dead.look()
    dead._sharing.close()
    then = worker(tmp_path, sink)
    then.observe(spammy(100))
    then.look()
    assert sink.told[-1][3:] == (sink.told[-1][3], 1_100)
    state = then.state()["spam"]
    assert state["decisions"] == 1_100
    assert state["statistics"]["above"]["alarm_since"]


CHILD = """
import sys
from pathlib import Path
from tests.telemetry.drift.profiles import spammy, worker

watch = worker(Path(sys.argv[1]))
watch.observe(spammy(1_000))
watch.look()
print("looked", flush=True)
sys.stdin.readline()
"""


def test_a_leader_that_is_killed_is_followed_by_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "looked\n"
        sink = Sink()
        watch = worker(tmp_path, sink)
        watch.observe(spammy(200))
        watch.look()
        assert (sink.told, watch.state()["spam"]["decisions"]) == ([], 1_000)
        child.kill()
        child.wait()
    watch.look()
    assert sink.told[-1][-1] == 1_200
    # The alarm that the dead one told of goes on, and is not told of again.
    assert "above" in sink.told[-1][3]
    assert "(above)" not in caplog.text


def test_a_file_of_counts_that_is_damaged_counts_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leader, other = worker(tmp_path), worker(tmp_path)
    leader.look()
    other.observe(usual(1_000))
    other.look()
    leader.look()
    [path] = tmp_path.glob("counts-*.json")
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"[[1]]", b"7", b'[["spam","3",1,["x"]]]'):
        time.sleep(0.01)
        path.write_bytes(broken)
        leader.look()
        assert leader.state()["spam"]["decisions"] == 1_000
        assert "cannot be read" in caplog.text
        caplog.clear()
        leader.look()
        assert caplog.text == ""
    other.observe(usual(10))
    other.look()
    leader.look()
    assert leader.state()["spam"]["decisions"] == 1_010


@pytest.mark.parametrize("content", [b"", b"[{}]", b"[", b'[{"pair": 1}]', b'{"a": 1}'])
def test_windows_that_are_damaged_begin_anew(tmp_path: Path, content: bytes) -> None:
    first = worker(tmp_path)
    first.observe(spammy(1_000))
    first.look()
    first._sharing.close()
    (tmp_path / "windows.json").write_bytes(content)
    second = worker(tmp_path)
    second.observe(spammy(10))
    second.look()
    assert second.state()["spam"]["decisions"] == 1_010


def test_a_profile_that_is_damaged_is_none(tmp_path: Path) -> None:
    other = worker(tmp_path)
    other.observe(usual(1_000))
    other.look()
    other._sharing.close()
    for path in tmp_path.glob("profile-*.json"):
        path.write_text(json.dumps({"format": 1, "task": "spam"}))
    for path in tmp_path.glob("windows.json"):
        path.unlink()
    leader = worker(tmp_path)
    leader.look()
    assert "no profile" in leader.state()["spam"]["reason"]


def test_health_that_is_damaged_is_empty(tmp_path: Path) -> None:
    watch = worker(tmp_path)
    for content in (b"", b"[]", b"{"):
        (tmp_path / "health.json").write_bytes(content)
        assert watch.state() == {}


def test_a_folder_that_cannot_be_written_is_logged_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "drift"
    folder.write_text("in the way")
    watch = worker(folder)
    watch.observe(usual(5))
    watch.look()
    watch.look()
    assert caplog.text.count("The watch on drift cannot go on for now: File exists") == 1
    folder.unlink()
    watch.look()
    assert watch.state()["spam"]["decisions"] == 5
    assert len(caplog.records) == 1


def test_nothing_is_written_while_nothing_is_decided(tmp_path: Path) -> None:
    watch = worker(tmp_path)
    watch.observe(usual(10))
    watch.look()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    watch.look()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_it_looks_in_a_thread_and_once_more_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    watch = worker(tmp_path)
    with watch.running():
        watch.observe(usual(10))
        until = time.monotonic() + 10
        while not watch.state() and time.monotonic() < until:
            time.sleep(0.01)
        assert watch.state()["spam"]["decisions"] == 10
        monkeypatch.setattr(module, "LOOK_SECONDS", 60.0)
        watch.observe(usual(10))
    assert watch.state()["spam"]["decisions"] == 20
    # The lock is free again.
    assert worker(tmp_path)._sharing.elected()


def test_drift_is_among_the_metrics() -> None:
    counters = Counters()
    counters.serving("spam", "3")
    watch = worker(None, counters)
    watch.observe(spammy(1_000))
    watch.look()
    text = counters.render().decode()
    labels = 'statistic="above",task="spam",version="3"'
    assert f"assay_drift_alarm{{{labels}}} 1.0" in text
    assert f"assay_drift_score{{{labels}}} " in text
    assert 'assay_drift_decisions{task="spam",version="3"} 1000.0' in text
    watch.observe(usual(4_000))
    watch.look()
    watch.observe(usual(1_000))
    watch.look()
    assert f"assay_drift_alarm{{{labels}}} 0.0" in counters.render().decode()
