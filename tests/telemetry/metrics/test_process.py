"""What a process uses."""

import mmap
import os
import threading
from pathlib import Path

import pytest

from assay.telemetry.metrics.process import parsed, usage

LINE = "7 ({name}) S 1 7 7 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 9 0 5000 4096000 33 184467 1 1"
PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", ["python", "a b", "a) S 1 (b", "", "é"])
def test_fields_are_found_whatever_the_process_is_called(name: str) -> None:
    assert parsed(LINE.format(name=name).encode()) == {
        "resident": 33 * PAGE,
        "cpu": 300 / TICK,
        "threads": 9,
    }


def test_files_and_threads_of_this_process_are_counted(tmp_path: Path) -> None:
    done, before = threading.Event(), usage()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        waiting = threading.Thread(target=done.wait)
        waiting.start()
        during = usage()
        done.set()
        waiting.join()
    assert (during.files - before.files, during.threads - before.threads) == (2, 1)


def test_memory_and_computing_are_those_of_this_process() -> None:
    before = usage()
    # Pages of its own: an allocator may hand out memory that was resident before.
    with mmap.mmap(-1, 50_000_000) as held:
        held.write(b"x" * len(held))
        after = usage()
    assert after.resident - before.resident > 40_000_000
    assert abs(after.cpu - sum(os.times()[:2])) < 0.5


def test_what_cannot_be_read_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        usage(tmp_path)
