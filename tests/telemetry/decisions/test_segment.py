"""The active file: written, forced to disk, closed under a name that says what it holds."""

import os
import time
from pathlib import Path

import pytest

from assay.telemetry.decisions.names import names_in
from assay.telemetry.decisions.segment import Segment, Sync
from tests.telemetry.decisions.deciding import lines_of, record


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def segment(folder: Path, clock: Clock, sync: Sync = "never", slot: int = 1) -> Segment:
    """Return the active file of a slot."""
    return Segment(folder, slot, sync=sync, clock=clock)


def lines(*moments: float) -> list[bytes]:
    """Return lines of decisions at these moments."""
    return [record(number, at=at).line() for number, at in enumerate(moments)]


def test_a_closed_file_is_named_by_what_it_holds(tmp_path: Path, clock: Clock) -> None:
    file = segment(tmp_path, clock, slot=2)
    file.append(lines(30.0, 10.5))
    file.append(lines(20.25))
    assert file.path == tmp_path / "predictions-2.jsonl"
    closed = file.rotate()
    [name] = names_in(tmp_path)
    assert (name.path, name.slot, name.first, name.last) == (closed, 2, 10.5, 30.0)
    file.append(lines(40.0))
    assert len(lines_of(file.path)) == 1
    file.close()


def test_no_closed_file_is_written_over(tmp_path: Path, clock: Clock) -> None:
    file, closed = segment(tmp_path, clock), []
    for _ in range(4):
        file.append(lines(10.0))
        closed.append(file.rotate())
        if len(closed) == 2 and closed[0]:
            closed[0].rename(f"{closed[0]}.gz")
    file.close()
    assert len({path.name for path in closed if path}) == 4
    assert len(list(names_in(tmp_path))) == 4


def test_an_empty_file_stays(tmp_path: Path, clock: Clock) -> None:
    file = segment(tmp_path, clock)
    assert file.rotate() is None
    assert not file.due(0, 0.0)
    file.close()


def test_a_file_is_due_when_it_is_full_or_old(tmp_path: Path, clock: Clock) -> None:
    file = segment(tmp_path, clock)
    file.append(lines(1.0))
    size = file.path.stat().st_size
    assert not file.due(size + 1, 60.0)
    assert file.due(size, 60.0)
    clock.at += 59.0
    assert not file.due(size + 1, 60.0)
    clock.at += 1.0
    assert file.due(size + 1, 60.0)
    file.path.unlink()
    assert not file.due(0, 0.0)
    file.close()


def test_a_file_of_a_process_before_is_as_old_as_its_first_decision(tmp_path: Path, clock: Clock) -> None:
    first = segment(tmp_path, clock)
    first.append(lines(time.time() - 100.0))
    first.close()
    file = segment(tmp_path, clock)
    assert file.due(10**9, 99.0)
    assert not file.due(10**9, 200.0)
    file.close()


def test_a_first_decision_in_the_future_makes_no_file_younger_than_new(tmp_path: Path, clock: Clock) -> None:
    first = segment(tmp_path, clock)
    first.append(lines(time.time() + 10**6))
    first.close()
    file = segment(tmp_path, clock)
    clock.at += 60.0
    assert file.due(10**9, 60.0)
    file.close()


def test_a_half_written_last_line_is_ended(tmp_path: Path, clock: Clock) -> None:
    whole, torn = lines(10.0, 99.0)
    (tmp_path / "predictions.jsonl").write_bytes(whole + torn[:-5])
    file = segment(tmp_path, clock)
    closed = file.rotate()
    assert closed is not None
    assert closed.read_bytes() == whole + torn[:-5] + b"\n"
    assert next(names_in(tmp_path)).last == 10.0
    file.close()


@pytest.mark.parametrize(
    "content", [b"nonsense\n", b'{"at":"2026-99-99T00:00:00.000000+00:00","id":"x"}\n', b"\0" * 99]
)
def test_a_file_without_a_decision_is_named_by_when_it_changed(
    tmp_path: Path, clock: Clock, content: bytes
) -> None:
    (tmp_path / "predictions.jsonl").write_bytes(content)
    os.utime(tmp_path / "predictions.jsonl", (50.0, 50.0))
    file = segment(tmp_path, clock)
    changed = 50.0 if content.endswith(b"\n") else time.time()
    file.rotate()
    [name] = names_in(tmp_path)
    assert name.last == pytest.approx(changed, abs=30.0)
    file.close()


def test_lines_of_other_forms_are_read_where_their_moment_cannot_be(tmp_path: Path, clock: Clock) -> None:
    odd = lines(20.0)[0].replace(b"+00:00", b"Z")
    (tmp_path / "predictions.jsonl").write_bytes(lines(10.0)[0] + odd + b"junk\n")
    file = segment(tmp_path, clock)
    file.rotate()
    [name] = names_in(tmp_path)
    assert (name.first, name.last) == (10.0, 20.0)
    file.close()


def test_a_large_file_is_read_to_its_end(tmp_path: Path, clock: Clock) -> None:
    file = segment(tmp_path, clock)
    file.append(lines(*(float(at) for at in range(100, 20_100))))
    file.rotate()
    [name] = names_in(tmp_path)
    assert (name.first, name.last) == (100.0, 20_099.0)
    file.close()


def test_a_file_that_was_moved_away_is_gone_on_with_in_a_new_one(tmp_path: Path, clock: Clock) -> None:
    file = segment(tmp_path, clock)
    file.append(lines(10.0))
    file.path.rename(tmp_path / "elsewhere")
    file.append(lines(20.0))
    assert len(lines_of(file.path)) == len(lines_of(tmp_path / "elsewhere")) == 1
    file.close()


@pytest.mark.parametrize(
    ("sync", "forced"), [("never", [0, 0, 0]), ("second", [0, 1, 1]), ("batch", [1, 1, 2])]
)
def test_a_file_is_forced_to_disk_as_the_policy_says(
    tmp_path: Path, clock: Clock, sync: Sync, forced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, calls = os.fsync, []

    def counted(descriptor: int) -> None:
        calls.append(descriptor)
        known(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    file, seen = segment(tmp_path, clock, sync), []
    file.append(lines(10.0))
    file.force()
    seen.append(len(calls))
    clock.at += 1.0
    for _ in range(3):
        file.force()
    seen.append(len(calls))
    file.append(lines(11.0))
    file.force()
    seen.append(len(calls))
    assert seen == forced
    file.close()
    assert len(calls) == seen[-1] + (sync == "second")
