"""The decision log through full disks, folders that vanish, clocks that jump and killed processes."""

import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from assay.telemetry import Counters, DecisionLog, LogPolicy
from assay.telemetry.decisions import log as module
from assay.telemetry.decisions.hashing import read_key
from assay.telemetry.decisions.names import names_in
from assay.telemetry.decisions.record import read_line
from tests.telemetry.decisions.deciding import IDS, decided, decision, logged, wait_for
from tests.telemetry.decisions.test_keeping import file_size

WRITER = """
import sys, time
from pathlib import Path
from assay.telemetry import Counters, DecisionLog, LogPolicy
from tests.telemetry.decisions.deciding import decided

log = DecisionLog(Path(sys.argv[1]), metrics=Counters(), policy=LogPolicy(sync=sys.argv[2]))
with log.running():
    while True:
        given = decided("text")
        log.write(given)
        print(given.decisions[0].id, time.monotonic(), flush=True)
        time.sleep(0.002)
"""
STARTER = """
import sys, time
from pathlib import Path
from assay.telemetry import Counters, DecisionLog
from tests.telemetry.decisions.deciding import decided

print("ready", flush=True)
sys.stdin.readline()
log = DecisionLog(Path(sys.argv[1]), metrics=Counters())
with log.running():
    for number in range(200):
        log.write(decided("the same text"))
        time.sleep(0.001)
    # Nobody lets go of a slot before the last one has taken one.
    sys.stdin.readline()
"""


STEP_SECONDS = 0.1
"""A writer whose decisions are further apart did not run meanwhile: it makes one every two milliseconds."""


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that others, who keep the disk busy, do not hold up; where there is none, on the disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True) if os.getuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip("only an account that may mount file systems has a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def ids_of(folder: Path) -> list[str]:
    """Return the ids of the decisions in a log, in order."""
    return [line["id"] for line in logged(folder)]


def test_a_full_disk_drops_what_has_no_room_and_is_gone_on_with(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(module, "LONGEST_WAITING", 1_000)
    counters, folder, seen = Counters(), small_disk / "logs", []
    log = DecisionLog(folder, metrics=counters, observers=[seen.extend])
    with caplog.at_level(logging.WARNING, logger="assay"), log.running():
        given = decided(*["text"] * 200)
        for _ in range(40):
            log.write(given)
            wait_for(lambda: log.state()["waiting"] in (0, 1_000) or log.trouble)
            wait_for(lambda: not log._waiting)
        wait_for(lambda: log.state()["dropped"])
        assert log.state()["reason"] == "No space left on device"
        assert 'assay_degraded{part="decision_log"} 1.0' in counters.render().decode()
        # Who watches needs no disk.
        wait_for(lambda: len(seen) == 8_000 and not log._lines)
        kept = len(logged(folder))
        assert kept + log.state()["dropped"] + log.state()["waiting"] == 8_000
        active = folder / "predictions.jsonl"
        shutil.copyfile(active, small_disk.parent / "before.jsonl")
        active.unlink()
        wait_for(lambda: not log.trouble)
        log.write(decided())
    assert 'assay_degraded{part="decision_log"} 0.0' in counters.render().decode()
    assert len(logged(folder)) == 8_001 - kept - log.state()["dropped"]
    said = [entry.message for entry in caplog.records]
    assert any("cannot be written: No space left on device. Up to 1,000 lines wait" in each for each in said)
    assert any("has no line of" in each for each in said)
    assert any("is written again" in each for each in said)


def test_a_file_that_may_not_grow_loses_nothing_that_has_room_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    log = DecisionLog(tmp_path, metrics=Counters())
    given = [decided(f"text {number}", number=number) for number in range(60)]
    with log.running():
        log.write(given[0])
        wait_for(lambda: log.state()["written"] == 1)
        with file_size(2_000):
            for each in given[1:]:
                log.write(each)
            wait_for(lambda: log.trouble == "File too large")
        wait_for(lambda: log.state()["written"] == 60)
    assert ids_of(tmp_path) == [IDS.format(number) for number in range(60)]


def test_a_folder_that_is_removed_is_made_again_with_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    folder = tmp_path / "logs"
    log = DecisionLog(folder, metrics=Counters())
    with log.running():
        log.write(decided("text"))
        wait_for(lambda: log.state()["written"] == 1)
        [before], key = logged(folder), read_key(folder)
        shutil.rmtree(folder)
        log.write(decided("text"))
        wait_for(lambda: log.state()["written"] == 2)
        assert log.trouble == ""
        # Its slot is held again: a worker that starts now takes another.
        other = DecisionLog(folder, metrics=Counters())
        with other.running():
            other.write(decided())
    assert read_key(folder) == key
    assert (
        next(line for line in logged(folder) if line["characters"] == 4)["text_hash"] == before["text_hash"]
    )
    assert {name.path.name for name in names_in(folder)} == {"predictions.jsonl", "predictions-2.jsonl"}


def test_a_folder_that_cannot_be_made_again_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    folder = tmp_path / "logs"
    log = DecisionLog(folder, metrics=Counters(), policy=LogPolicy(key="mine"))
    with log.running():
        log.write(decided())
        wait_for(lambda: log.state()["written"] == 1)
        shutil.rmtree(folder)
        folder.touch()
        log.write(decided())
        wait_for(lambda: log.trouble)
        folder.unlink()
        wait_for(lambda: log.state()["written"] == 2)
    assert len(logged(folder)) == 1


def test_a_file_that_is_taken_away_at_any_time_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.001)
    log, taken = DecisionLog(tmp_path, metrics=Counters()), []
    given = [decided("text", number=number) for number in range(400)]
    with log.running():
        for number, each in enumerate(given):
            log.write(each)
            if number % 40 == 39:
                wait_for((tmp_path / "predictions.jsonl").exists)
                taken.append((tmp_path / "predictions.jsonl").rename(tmp_path / f"taken-{number}"))
    lines = [line for path in taken for line in path.read_bytes().splitlines()]
    found = [record.id for line in lines if (record := read_line(line))] + ids_of(tmp_path)
    assert found == [IDS.format(number) for number in range(400)]


def test_clocks_that_jump_both_ways_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    log = DecisionLog(tmp_path, metrics=Counters(), policy=LogPolicy(rotate_bytes=1_000, days=40_000))
    known, ids = time.time_ns, []
    with log.running():
        for days in (0, 400, -400, 0, -20_000, 400):
            shift = days * 86_400 * 10**9
            with monkeypatch.context() as jumped:
                jumped.setattr(time, "time_ns", lambda shift=shift: max(0, known() + shift))
                jumped.setattr(time, "time", lambda shift=shift: max(0, known() + shift) / 1e9)
                given = decided(*["text"] * 10, decisions=[decision() for _ in range(10)])
                ids += [each.id for each in given.decisions]
                log.write(given)
                wait_for(lambda: not log.state()["waiting"])
    assert sorted(ids_of(tmp_path)) == sorted(ids)
    names = [name for name in names_in(tmp_path) if not name.active]
    assert len(names) == 6
    for name in names:
        assert name.first is not None
        assert name.last is not None
        assert 0 <= name.last - name.first < 60


def test_a_file_that_is_no_file_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    log = DecisionLog(tmp_path, metrics=Counters())
    (tmp_path / "predictions.jsonl").mkdir()
    with log.running():
        log.write(decided())
        wait_for(lambda: "Is a directory" in log.trouble)
        (tmp_path / "predictions.jsonl").rmdir()
        wait_for(lambda: log.state()["written"] == 1)
    assert len(logged(tmp_path)) == 1


def test_a_folder_that_goes_away_while_nothing_comes_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)
    folder, counters = tmp_path / "logs", Counters()
    log = DecisionLog(folder, metrics=counters, policy=LogPolicy(sync="second"))
    with log.running():
        log.write(decided())
        wait_for(lambda: log.state()["written"] == 1)
        shutil.rmtree(folder)
        # Within a second, what was written is to be forced to disk.
        wait_for(folder.exists)
        assert log.trouble == ""
        log.write(decided())
    assert len(logged(folder)) == 1


def test_an_end_whose_file_cannot_be_forced_to_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    log = DecisionLog(tmp_path, metrics=Counters())
    with log.running():
        monkeypatch.setattr(os, "fsync", broken)
        log.write(decided())
    assert "could not be forced to disk: Input/output error" in caplog.text
    assert len(logged(tmp_path)) == 1


def test_a_half_written_last_line_costs_that_line_alone(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl").write_bytes(b'{"at":"2026-11-29T10:15:00.123456+00:00","id":"ha')
    log = DecisionLog(tmp_path, metrics=Counters())
    with log.running():
        log.write(decided(number=1))
    torn, whole = (tmp_path / "predictions.jsonl").read_bytes().splitlines()
    assert read_line(torn) is None
    assert json.loads(whole)["id"] == IDS.format(1)


@pytest.mark.parametrize("sync", ["never", "second", "batch"])
def test_a_killed_process_loses_at_most_its_last_decisions(in_memory: Path, sync: str) -> None:
    command = [sys.executable, "-c", WRITER, str(in_memory), sync]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        first = [process.stdout.readline() for _ in range(400)]
        process.send_signal(signal.SIGKILL)
        rest = [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    told = [line.split() for line in first + rest]
    found = {
        record.id
        for line in (in_memory / "predictions.jsonl").read_bytes().splitlines()
        if (record := read_line(line))
    }
    assert len(found) > 200
    # A busy machine may keep the thread from its turn: then by so much longer than the pause. Where the whole
    # process stood still, nobody had a turn.
    moments = [float(at) for _, at in told]
    steps = [min(later - earlier, STEP_SECONDS) for earlier, later in pairwise(moments)]
    lasted = [*accumulate(reversed(steps), initial=0.0)][::-1]
    lost = [seconds for (id_, _), seconds in zip(told, lasted, strict=True) if id_ not in found]
    assert all(seconds < module.PAUSE_SECONDS + module.WRITE_SECONDS + 1.0 for seconds in lost)


def test_workers_that_start_together_have_one_key_and_a_file_each(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "logs")]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        print("go", file=worker.stdin, flush=True)
    wait_for(lambda: len(list((tmp_path / "logs").glob("*.jsonl"))) == 2)
    for worker in workers:
        worker.communicate("end\n", timeout=60)
        assert worker.returncode == 0
    lines = logged(tmp_path / "logs")
    assert len(lines) == 400
    assert len({line["text_hash"] for line in lines}) == 1
    assert sorted(name.slot for name in names_in(tmp_path / "logs")) == [1, 2]
