"""Keeping house: compressed, deleted in time, nothing lost or doubled whatever ends it."""

import logging
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.telemetry.decisions import keeping
from assay.telemetry.decisions.keeping import ABANDONED_SECONDS, DAY_SECONDS, Interrupted, Keeping, compress
from assay.telemetry.decisions.names import closed_name, names_in
from assay.telemetry.decisions.slots import keeping_house, take_slot
from tests.telemetry.decisions.deciding import lines_of, logged, record
from tests.telemetry.decisions.test_segment import Clock

NOW = 1_760_344_862.0


def closed(folder: Path, first: float, last: float, slot: int = 1, count: int = 50) -> Path:
    """Write a closed file."""
    path = folder / closed_name(slot, first, last)
    path.write_bytes(b"".join(record(number, at=first).line() for number in range(count)))
    return path


def keep(folder: Path, clock: Clock | None = None, days: float = 30.0, now: float = NOW) -> Keeping:
    """Return who keeps house at some time of day."""
    return Keeping(folder, days=days, clock=clock or Clock(), now=lambda: now)


@contextmanager
def file_size(most: int) -> Iterator[None]:
    """Let no file of this process grow over a size while the block runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_closed_files_are_compressed_and_hold_the_same(tmp_path: Path) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    before = lines_of(path)
    keep(tmp_path).keep()
    assert not path.exists()
    [name] = names_in(tmp_path)
    assert (name.kind, lines_of(name.path)) == ("jsonl.gz", before)
    assert name.path.stat().st_mode & 0o137 == 0


def test_what_was_killed_before_the_compressed_form_had_its_name_is_done_again(tmp_path: Path) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    before = lines_of(path)
    (tmp_path / f".{path.name}.gz.draft").write_bytes(b"half")
    keep(tmp_path).keep()
    assert logged(tmp_path) == before
    assert list(tmp_path.glob(".*.draft")) == []


def test_what_was_killed_before_the_plain_form_was_removed_is_not_doubled(tmp_path: Path) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    content = path.read_bytes()
    compress(path)
    path.write_bytes(content)
    assert len(logged(tmp_path)) == 50
    keep(tmp_path).keep()
    assert not path.exists()
    assert len(logged(tmp_path)) == 50


def test_compressing_leaves_off_when_the_service_stops(tmp_path: Path) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    with pytest.raises(Interrupted):
        compress(path, lambda: True)
    Keeping(tmp_path, days=30.0, stopping=lambda: True).keep()
    assert len(lines_of(path)) == 50
    assert list(tmp_path.glob(".*.draft")) == []


def test_a_disk_without_room_for_the_compressed_form_keeps_the_plain_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, house = closed(tmp_path, NOW - 10, NOW, count=5_000), keep(tmp_path)
    with caplog.at_level(logging.WARNING, logger="assay"), file_size(1_000):
        for _ in range(3):
            house.keep()
    assert [entry.message for entry in caplog.records] == [f"{path} cannot be compressed: File too large"]
    assert len(lines_of(path)) == 5_000
    assert list(tmp_path.glob(".*.draft")) == []
    house.keep()
    assert len(logged(tmp_path)) == 5_000


def test_files_are_deleted_when_their_last_decision_is_too_old(tmp_path: Path) -> None:
    old = closed(tmp_path, NOW - 40 * DAY_SECONDS, NOW - 30.1 * DAY_SECONDS)
    young = closed(tmp_path, NOW - 40 * DAY_SECONDS, NOW - 29.9 * DAY_SECONDS)
    packed = tmp_path / "predictions.20200101T000000000000Z-20200102T000000000000Z.parquet"
    packed.touch()
    (tmp_path / "predictions.jsonl").touch()
    keep(tmp_path).keep()
    left = {name.path.name for name in names_in(tmp_path)}
    assert left == {f"{young.name}.gz", "predictions.jsonl"}
    assert not old.exists()


def test_a_clock_that_is_put_forward_deletes_nothing_and_one_put_back_neither(tmp_path: Path) -> None:
    closed(tmp_path, NOW - 10, NOW)
    told, clock = [NOW], Clock()
    house = Keeping(tmp_path, days=30.0, clock=clock, now=lambda: told[0])
    for moment in (NOW + 400 * DAY_SECONDS, NOW - 400 * DAY_SECONDS, 0.0):
        told[0] = moment
        house.keep()
        assert len(logged(tmp_path)) == 50
    clock.at += 31 * DAY_SECONDS
    told[0] = NOW + 31 * DAY_SECONDS
    house.keep()
    assert logged(tmp_path) == []


def test_the_file_of_a_slot_that_nobody_takes_any_more_is_closed(tmp_path: Path) -> None:
    slots = dict(take_slot(tmp_path) for _ in range(2))
    for name in ("predictions.jsonl", "predictions-2.jsonl", "predictions-3.jsonl"):
        (tmp_path / name).write_bytes(record(at=NOW).line())
    (tmp_path / "predictions-1.jsonl").write_bytes(b"not ours\n")
    clock = Clock()
    house = keep(tmp_path, clock)
    slots[2].release()
    house.keep()
    clock.at += ABANDONED_SECONDS - 1
    with (tmp_path / "predictions-2.jsonl").open("ab") as file:
        # It came back to life, and ended again.
        file.write(record(1, at=NOW).line())
    house.keep()
    clock.at += 1
    house.keep()
    assert (tmp_path / "predictions-2.jsonl").exists()
    assert not (tmp_path / "predictions-3.jsonl").exists()
    clock.at += ABANDONED_SECONDS
    house.keep()
    assert not (tmp_path / "predictions-2.jsonl").exists()
    assert (tmp_path / "predictions.jsonl").exists()
    assert (tmp_path / "predictions-1.jsonl").read_bytes() == b"not ours\n"
    assert sorted(name.slot for name in names_in(tmp_path) if not name.active) == [2, 3]
    assert slots[1] is not None


def test_an_empty_file_that_nobody_writes_is_removed(tmp_path: Path) -> None:
    (tmp_path / "predictions-2.jsonl").touch()
    clock = Clock()
    house = keep(tmp_path, clock)
    house.keep()
    clock.at += ABANDONED_SECONDS
    house.keep()
    assert list(names_in(tmp_path)) == []


def test_stale_drafts_are_removed_and_new_ones_stay(tmp_path: Path) -> None:
    drafts = [tmp_path / name for name in (".predictions-1.x.gz.draft", ".decision.key.ab.draft")]
    for draft in (*drafts, tmp_path / ".predictions-2.y.draft"):
        draft.touch()
        os.utime(draft, (NOW, NOW))
    for draft in drafts:
        os.utime(draft, (NOW - 4_000, NOW - 4_000))
    keep(tmp_path).keep()
    assert [path.name for path in tmp_path.glob(".*")] == [".predictions-2.y.draft"]


def test_one_worker_keeps_house_at_a_time(tmp_path: Path) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    with keeping_house(tmp_path):
        keep(tmp_path).keep()
        assert path.exists()
    keep(tmp_path).keep()
    assert not path.exists()


def test_a_folder_that_is_not_there_is_left_to_who_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="assay"):
        keep(tmp_path / "none").keep()
    assert caplog.records == []


def test_a_folder_that_cannot_be_locked_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "house.lock").mkdir()
    house = keep(tmp_path)
    with caplog.at_level(logging.WARNING, logger="assay"):
        for _ in range(2):
            house.keep()
    assert [entry.message for entry in caplog.records] == [
        f"{tmp_path} cannot be looked through: Is a directory"
    ]


def test_a_file_that_goes_away_meanwhile_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = closed(tmp_path, NOW - 10, NOW)
    monkeypatch.setattr(keeping, "uncompressed_in", lambda folder: [path.with_name("gone"), path])
    with caplog.at_level(logging.WARNING, logger="assay"):
        keep(tmp_path).keep()
    assert caplog.records == []
    assert not path.exists()


def test_time_of_day_is_the_clock_s_by_default(tmp_path: Path) -> None:
    assert Keeping(tmp_path, days=1.0).today() == pytest.approx(time.time(), abs=5.0)
