"""Locks that end with their process."""

import errno
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assay.telemetry.decisions import slots
from assay.telemetry.decisions.slots import Lock, keeping_house, slot_lock, take_slot
from tests.telemetry.own import open_under

HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom assay.telemetry.decisions.slots import take_slot\n"
    "slot, lock = take_slot(Path(sys.argv[1]))\nprint(slot, flush=True)\ntime.sleep(60)\n"
)


def test_the_lowest_slot_that_nobody_has_is_taken(tmp_path: Path) -> None:
    locks = dict(take_slot(tmp_path) for _ in range(3))
    assert sorted(locks) == [1, 2, 3]
    locks[2].release()
    locks[2].release()
    assert take_slot(tmp_path)[0] == 2


def test_a_slot_is_free_once_its_process_was_killed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "1\n"
        assert Lock.take(slot_lock(tmp_path, 1)) is None
        process.kill()
    assert take_slot(tmp_path)[0] == 1


def test_a_lock_on_a_folder_that_was_made_anew_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    assert take_slot(folder)[0] == 1
    shutil.rmtree(folder)
    folder.mkdir()
    assert take_slot(folder)[0] == 1


def test_a_lock_file_that_went_away_while_it_was_waited_for_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, known = tmp_path / "lock", slots._is_at

    def removed_once(descriptor: int, there: Path) -> bool:
        monkeypatch.setattr(slots, "_is_at", known)
        there.unlink()
        return known(descriptor, there)

    monkeypatch.setattr(slots, "_is_at", removed_once)
    held = Lock.take(path)
    assert held is not None
    assert Lock.take(path) is None


def test_a_file_system_without_locks_is_an_error_that_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none_left)
    with pytest.raises(OSError, match="No locks available"):
        Lock.take(tmp_path / "lock")
    assert open_under(tmp_path) == []


def test_one_keeps_house_at_a_time(tmp_path: Path) -> None:
    with keeping_house(tmp_path) as mine, keeping_house(tmp_path) as other:
        assert (mine, other) == (True, False)
    with keeping_house(tmp_path, wait=True) as mine:
        assert mine


def test_a_folder_whose_slots_are_all_taken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_SLOTS", 2)
    _, lock = take_slot(tmp_path)
    with pytest.raises(OSError, match="slots are taken"):
        take_slot(tmp_path)
    lock.release()


def test_a_lock_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take_slot(tmp_path / "none")
    (tmp_path / "predictions-1.lock").mkdir()
    with pytest.raises(IsADirectoryError):
        take_slot(tmp_path)
