"""The request log beside the requests: never in their way, never silent about what it lost."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.telemetry import Counters, RequestLog
from assay.telemetry import request_log as module
from tests.telemetry.own import open_under, threads_since
from tests.telemetry.requests import exchange, lines


def text_of(counters: Counters) -> str:
    """Return what a scrape reads."""
    return counters.render().decode()


def wait_for(come: Callable[[], object]) -> None:
    """Wait until something is so; fail when it never is."""
    end = time.monotonic() + 30
    while not come():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_are_written_in_order_by_the_end(tmp_path: Path) -> None:
    log = RequestLog(str(tmp_path / "log"), metrics=Counters())
    with log.running():
        for number in range(2_500):
            log.write(exchange(number))
    assert [line["http.request.id"] for line in lines(tmp_path / "log")] == [f"id-{n}" for n in range(2_500)]


def test_lines_come_while_the_service_runs(tmp_path: Path) -> None:
    log = RequestLog(str(tmp_path / "log"), metrics=Counters())
    with log.running():
        log.write(exchange())
        wait_for(lambda: lines(tmp_path / "log"))


def test_what_waits_too_long_is_dropped_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAITING", 10)
    counters = Counters()
    log = RequestLog(str(tmp_path / "log"), metrics=counters)
    for number in range(15):
        log.write(exchange(number))
    assert "assay_request_log_dropped_total 5.0" in text_of(counters)
    with log.running():
        pass
    read = lines(tmp_path / "log")
    assert [line.get("assay.dropped") for line in read] == [None] * 10 + [5]


def test_texts_that_wait_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_CONTENT", 1_000)
    log = RequestLog(str(tmp_path / "log"), metrics=Counters(), texts=True)
    with log.running():
        for number in range(3):
            log.write(exchange(number, content=("x" * 400,)))
    assert [line.get("assay.dropped") for line in lines(tmp_path / "log")] == [None, None, 1]


def test_a_full_disk_delays_lines_and_loses_none_that_have_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, counters = tmp_path / "logs", Counters()
    folder.mkdir()
    log = RequestLog(str(folder / "log"), metrics=counters)
    with caplog.at_level(logging.WARNING, logger="assay"), log.running():
        (folder / "log").unlink()
        folder.rmdir()
        log.write(exchange(1))
        wait_for(lambda: "cannot be written" in caplog.text)
        assert 'assay_degraded{part="request_log"} 1.0' in text_of(counters)
        log.write(exchange(2))
        folder.mkdir()
        wait_for(lambda: "is written again" in caplog.text)
    assert 'assay_degraded{part="request_log"} 0.0' in text_of(counters)
    assert [line["http.request.id"] for line in lines(folder / "log")] == ["id-1", "id-2"]
    assert len(caplog.records) == 2


def test_a_disk_that_never_takes_anything_holds_up_no_request_and_no_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAITING", 100)
    log = RequestLog("/dev/full", metrics=Counters())
    with caplog.at_level(logging.ERROR, logger="assay"), log.running():
        for number in range(150):
            log.write(exchange(number))
    assert "The request log /dev/full cannot be written: No space left on device" in caplog.text
    assert "The request log /dev/full has no line of 150 requests." in caplog.text


def test_a_reader_that_stands_still_holds_up_no_request_and_no_end() -> None:
    script = (
        "import logging\nfrom assay.telemetry import Counters, RequestLog, request_log\n"
        "from tests.telemetry.requests import exchange\nrequest_log.PAUSE_SECONDS = 0.01\n"
        "logging.basicConfig()\nlog = RequestLog('-', metrics=Counters())\n"
        "with log.running():\n    for number in range(25_000):\n        log.write(exchange(number))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        # Nobody reads its output while it runs.
        assert process.wait(60) == 0
    finally:
        process.kill()
        out, told = process.communicate()
    assert b"has no line of" in told
    assert json.loads(out.split(b"\n")[0])["http.request.id"] == "id-0"


def test_a_killed_process_loses_only_what_came_since_the_last_write(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom assay.telemetry import Counters, RequestLog\n"
        "from tests.telemetry.requests import exchange\n"
        "log = RequestLog(sys.argv[1], metrics=Counters())\n"
        "with log.running():\n    for number in range(10**9):\n        log.write(exchange(number))\n"
        "        print(number, flush=True)\n        time.sleep(0.001)\n"
    )
    path = tmp_path / "log"
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(1_000)]
    known = len(path.read_bytes().splitlines())
    process.kill()
    rest = process.communicate()[0].split()
    read = lines(path)
    # Every line that was there stays; those that came later are numbered without a gap.
    assert known > 0
    assert [line["http.request.id"] for line in read] == [f"id-{number}" for number in range(len(read))]
    assert known <= len(read) <= len(told) + len(rest) + 1


def test_hangups_are_survived_and_a_moved_file_is_made_again(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom assay.asgi import surviving_hangups\n"
        "from assay.telemetry import Counters, RequestLog\nfrom tests.telemetry.requests import exchange\n"
        "log = RequestLog(sys.argv[1], metrics=Counters())\n"
        "with log.running(), surviving_hangups():\n    print('ready', flush=True)\n"
        "    for line in sys.stdin:\n        log.write(exchange(int(line)))\n"
    )
    path = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    print(1, file=process.stdin, flush=True)
    wait_for(lambda: lines(path))
    path.rename(tmp_path / "log.1")
    process.send_signal(signal.SIGHUP)
    print(2, file=process.stdin, flush=True)
    process.communicate()
    assert process.returncode == 0
    assert [line["http.request.id"] for file in ("log.1", "log") for line in lines(tmp_path / file)] == [
        "id-1",
        "id-2",
    ]


def test_nothing_runs_before_and_after(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    log = RequestLog(str(tmp_path / "log"), metrics=Counters())
    assert threads_since(before) == 0
    with log.running():
        assert threads_since(before) == 1
        assert open_under(tmp_path) != []
    assert threads_since(before) == 0
    assert open_under(tmp_path) == []


def test_a_request_after_the_end_is_counted_as_lost(tmp_path: Path) -> None:
    counters = Counters()
    log = RequestLog(str(tmp_path / "log"), metrics=counters)
    with log.running():
        pass
    log.write(exchange())
    assert "assay_request_log_dropped_total 1.0" in text_of(counters)
