"""Whole lines of several processes in one file, whatever happens to it."""

import fcntl
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assay.exceptions import ConfigError
from assay.telemetry.logfile import LogFile

LINE = b"x" * 900 + b"\n"


def append_many(path: str, mark: str, batches: int) -> None:
    """Append batches of lines that say who wrote them; run by a process of its own."""
    file = LogFile(path)
    for number in range(batches):
        file.append([json.dumps([mark, number, place, mark * 500]).encode() + b"\n" for place in range(40)])


def test_lines_of_two_processes_stay_whole_and_in_order(tmp_path: Path) -> None:
    path, context = tmp_path / "log", multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(str(path), mark, 50)) for mark in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    read = [json.loads(line) for line in path.read_bytes().splitlines()]
    for mark in "ab":
        mine = [line[1:3] for line in read if line[0] == mark]
        assert mine == [[number, place] for number in range(50) for place in range(40)]


def test_lines_of_two_processes_stay_whole_on_one_standard_output() -> None:
    # Lines are longer than what a pipe takes at once.
    script = (
        "import os\nfrom assay.telemetry.logfile import LogFile\nother = os.fork()\nfile = LogFile('-')\n"
        "mark = b'a' if other else b'b'\n"
        "for _ in range(200):\n    file.append([mark * 9_000 + b'\\n'] * 2)\n"
        "other and os.waitpid(other, 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    lines = done.stdout.split(b"\n")[:-1]
    assert len(lines) == 800
    assert {(len(line), len(set(line))) for line in lines} == {(9_000, 1)}


@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
def test_a_file_that_is_gone_is_made_again(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log"
    file = LogFile(str(path))
    file.append([b"1\n"])
    if how == "moved":
        path.rename(tmp_path / "log.1")
    elif how == "deleted":
        path.unlink()
    else:
        (tmp_path / "new").write_bytes(b"0\n")
        (tmp_path / "new").rename(path)
    file.append([b"2\n"])
    assert path.read_bytes() == (b"0\n2\n" if how == "replaced" else b"2\n")
    if how == "moved":
        assert (tmp_path / "log.1").read_bytes() == b"1\n"
    file.close()


def test_a_file_that_is_moved_by_whoever_holds_its_lock_gets_no_line_after_that(tmp_path: Path) -> None:
    path = tmp_path / "log"
    script = (
        "import fcntl, os, sys\nfile = os.open(sys.argv[1], os.O_RDWR)\nfcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.readline()\nos.rename(sys.argv[1], sys.argv[1] + '.1')\n"
    )
    file = LogFile(str(path))
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        writer = threading.Thread(target=file.append, args=([b"1\n"],))
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        holder.communicate("go\n")
        writer.join(30)
    assert path.read_bytes() == b"1\n"
    assert (tmp_path / "log.1").read_bytes() == b""
    file.close()


def test_a_file_that_is_emptied_goes_on_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(str(path))
    file.append([b"1\n"])
    os.truncate(path, 0)
    file.append([b"2\n"])
    assert path.read_bytes() == b"2\n"
    file.close()


def test_a_torn_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"half')
    file = LogFile(str(path))
    file.append([b"1\n", b"2\n"])
    assert path.read_bytes() == b'{"half\n1\n2\n'
    file.close()


def test_a_disk_that_fills_in_the_middle_of_a_batch_leaves_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    script = (
        "import resource, signal, sys\nfrom assay.telemetry.logfile import LogFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfile = LogFile(sys.argv[1])\n"
        "file.append([b'first\\n'])\nresource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 10_000_000))\n"
        "try:\n    file.append([b'x' * 900 + b'\\n'] * 10)\n"
        "except OSError as error:\n    print(error.strerror)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))\nfile.append([b'last\\n'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"first\nlast\n"


def test_a_folder_that_is_gone_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = LogFile(str(folder / "log"))
    (folder / "log").unlink()
    folder.rmdir()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            file.append([b"1\n"])
    folder.mkdir()
    assert file.append([b"2\n"]) == 1
    assert (folder / "log").read_bytes() == b"2\n"
    file.close()


@pytest.mark.parametrize("kind", ["missing folder", "folder", "pipe", "NUL"])
def test_what_cannot_be_a_log_stops_the_start(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    if kind == "missing folder":
        path = tmp_path / "no" / "log"
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/null/log")
    with pytest.raises(ConfigError, match=r"cannot be written: .* in ASSAY_REQUEST_LOG, or - for"):
        LogFile(str(path))


def test_others_may_not_read_a_new_log(tmp_path: Path) -> None:
    LogFile(str(tmp_path / "log")).close()
    assert (tmp_path / "log").stat().st_mode & 0o137 == 0


def test_limits_of_this_process_are_left_alone() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN


def test_reading_the_file_in_the_same_process_takes_no_lock_away(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(str(path))
    with file.locked():
        path.read_bytes()
        with path.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = subprocess.run(
            [sys.executable, "-c", TRYING, str(path)], capture_output=True, text=True, check=True
        )
        assert done.stdout == "held\n"
    file.close()


TRYING = """
import fcntl, sys
with open(sys.argv[1], "rb") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("free")
    except BlockingIOError:
        print("held")
"""
