"""The log read back: in order, once each, only the files that may hold it, whatever lies in the folder."""

import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.estimators import time_of
from assay.exceptions import LogError, MissingExtra
from assay.telemetry import Notes, compact, find_record, read_records, span_of
from assay.telemetry.decisions import columns, reading
from tests.telemetry.decisions.written import (
    NOON,
    id_at,
    lines,
    numbers,
    record,
    write_active,
    write_closed,
)

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def read(folder: Path, notes: Notes | None = None, **span: float) -> list[int]:
    """Return the numbers of what is read."""
    return numbers(read_records(folder, notes=Notes() if notes is None else notes, **span))


def test_files_are_read_in_the_order_of_time_and_those_in_use_last(tmp_path: Path) -> None:
    write_active(tmp_path, [record(8), record(9)])
    write_active(tmp_path, [record(7)], slot=2)
    write_closed(tmp_path, [record(4), record(5)])
    write_closed(tmp_path, [record(2), record(6)], slot=2, packed=True)
    write_closed(tmp_path, [record(0), record(1), record(3)])
    assert read(tmp_path) == [0, 1, 3, 2, 6, 4, 5, 7, 8, 9]


def test_a_compressed_file_beside_itself_counts_once(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0), record(1)])
    write_closed(tmp_path, [record(0), record(1)], packed=True)
    assert read(tmp_path) == [0, 1]


def test_a_parquet_file_beside_files_that_went_into_it_counts_once(tmp_path: Path) -> None:
    kept = write_closed(tmp_path, [record(0), record(1)])
    write_closed(tmp_path, [record(2)], packed=True)
    data = kept.read_bytes()
    assert [each.files for each in compact(tmp_path, now=LATER, notes=Notes())] == [2]
    kept.write_bytes(data)
    assert sorted(path.suffix for path in tmp_path.glob("predictions*")) == [".jsonl", ".parquet"]
    assert read(tmp_path) == [0, 1, 2]


def test_only_files_whose_names_fit_are_opened(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0), record(10)])
    write_closed(tmp_path, [record(20), record(30)])
    write_closed(tmp_path, [record(40)])
    notes = Notes()
    assert read(tmp_path, notes, since=NOON + 20, until=NOON + 30) == [20]
    assert (notes.files, notes.faults) == (1, [])
    assert notes.bytes == len(lines([record(20), record(30)]))
    assert read(tmp_path, since=NOON + 30) == [30, 40]
    assert read(tmp_path, until=NOON + 10) == [0]


def test_torn_and_foreign_lines_are_counted_told_once_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torn = record(1).line()[:40] + b"\n"
    write_closed(
        tmp_path, [record(0), record(2)], tail=torn + b'{"event":"start"}\n\n' + record(3).line()[:-9]
    )
    write_active(tmp_path, [record(4)], tail=torn)
    notes = Notes()
    assert read(tmp_path, notes) == [0, 2, 4]
    assert notes.torn == 4
    assert [*notes.lines()] == [
        "4 lines are no records of the decision log, cut off by a process that was killed or written by "
        "another program, and passed over."
    ]
    with caplog.at_level(logging.WARNING):
        assert numbers(read_records(tmp_path)) == [0, 2, 4]
    assert [each.message for each in caplog.records] == [*notes.lines()]


def test_the_end_of_a_line_that_is_being_written_is_no_fault(tmp_path: Path) -> None:
    write_active(tmp_path, [record(0)], tail=record(1).line()[:50])
    notes = Notes()
    assert read(tmp_path, notes) == [0]
    assert notes.torn == 0


def test_a_last_line_that_lacks_its_end_alone_is_a_record(tmp_path: Path) -> None:
    write_active(tmp_path, [record(0)], tail=record(1).line().rstrip(b"\n"))
    assert read(tmp_path) == [0, 1]


def test_a_folder_without_a_log(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    assert span_of(tmp_path) is None
    (tmp_path / "predictions.csv").write_text("a,b\n")
    (tmp_path / "requests.jsonl").write_text("{}\n")
    (tmp_path / "predictions.parquet").write_text("x")
    assert read(tmp_path) == []
    with pytest.raises(LogError, match=r"There is no decision log in .*nonesuch.* ASSAY_DECISION_FOLDER"):
        read(tmp_path / "nonesuch")


def test_another_program_s_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl").write_text('{"id":1,"label":"cat"}\n{"id":2,"at":"2026-01-01"}\n')
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert notes.torn == 2
    assert span_of(tmp_path) is None


def test_what_cannot_be_opened_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    bad = write_closed(tmp_path, [record(0)])
    bad.unlink()
    bad.mkdir()
    write_active(tmp_path, [], slot=2).unlink()
    (tmp_path / "predictions-2.jsonl").mkdir()
    write_active(tmp_path, [record(5)])
    notes = Notes()
    assert read(tmp_path, notes) == [5]
    assert [fault.partition(" could")[0] for fault in notes.faults] == [
        str(bad),
        str(tmp_path / "predictions-2.jsonl"),
    ]
    assert "What it holds is missing here" in notes.faults[0]


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    gone = write_closed(tmp_path, [record(0)])
    gone.unlink()
    gone.symlink_to("nowhere")
    (tmp_path / "predictions.jsonl").symlink_to("nowhere")
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert ["there is no such file" in fault for fault in notes.faults] == [True]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By root's own tests too, who may list every folder.
    def forbidden(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(LogError, match=r"Permission denied\. Give this account the right to list"):
        read(tmp_path)


@pytest.mark.parametrize("cut", [-30, 12])
def test_a_damaged_compressed_file_is_named_and_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    many = [record(number, request_id=os.urandom(8).hex()) for number in range(2_000)]
    path = write_closed(tmp_path, many, packed=True)
    path.write_bytes(path.read_bytes()[:cut])
    notes = Notes()
    found = read(tmp_path, notes)
    assert found == list(range(len(found)))
    assert len(found) > 1_000 if cut < 0 else not found
    assert len(notes.faults) == 1
    assert notes.torn <= 1


def test_bytes_that_are_not_compressed_are_named(tmp_path: Path) -> None:
    path = write_closed(tmp_path, [record(0)], packed=True)
    path.write_bytes(b"no gzip at all")
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert "Not a gzipped file" in notes.faults[0]


def compacted(folder: Path, count: int = 6) -> Path:
    """Return the Parquet file of a log that has nothing else."""
    write_closed(folder, [record(number, subject=f"{number % 3:032}") for number in range(count)])
    assert len(list(compact(folder, now=LATER, notes=Notes()))) == 1
    [path] = folder.glob("*.parquet")
    return path


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    path = compacted(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert len(notes.faults) == 1


def test_parquet_damaged_inside_is_named(tmp_path: Path) -> None:
    path = compacted(tmp_path)
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert len(notes.faults) == 1


def test_another_program_s_parquet_file_is_named(tmp_path: Path) -> None:
    path = compacted(tmp_path)
    pq.write_table(pa.table({"text": ["a"]}), path)
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert "it has no columns ['at', 'confidence'," in notes.faults[0]
    names = ("id", "task", "model", "version", "label")
    odd = {**{name: [1] for name in names}, "confidence": ["x"], "at": [datetime(2026, 11, 17, 12)]}
    pq.write_table(pa.table(odd), path)
    notes = Notes()
    assert read(tmp_path, notes) == []
    assert "a row is no record" in notes.faults[0]


def test_parquet_that_another_program_wrote_anew_stands_for_itself(tmp_path: Path) -> None:
    path = compacted(tmp_path)
    table = pq.read_table(path).replace_schema_metadata(None)
    pq.write_table(table, path)
    assert read(tmp_path) == list(range(6))
    pq.write_table(table.replace_schema_metadata({"assay.sources": "[[1]]"}), path)
    assert read(tmp_path) == list(range(6))


def test_parquet_is_met_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compacted(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'assay\[parquet\]'"):
        read(tmp_path)
    assert read(tmp_path, since=NOON + 1_000) == []


def test_row_groups_that_cannot_hold_it_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "GROUP_ROWS", 2)
    compacted(tmp_path)
    groups = []
    original = columns.ColumnFile._group
    monkeypatch.setattr(
        columns.ColumnFile, "_group", lambda self, group: groups.append(group) or original(self, group)
    )
    assert read(tmp_path, since=NOON + 2, until=NOON + 4) == [2, 3]
    assert groups == [1]
    assert find_record(tmp_path, record(5).id) == record(5, subject=f"{2:032}")
    assert groups == [1, 2]


def test_a_decision_is_found_in_every_kind_of_file(tmp_path: Path) -> None:
    compacted(tmp_path)
    write_closed(tmp_path, [record(10), record(11)])
    write_closed(tmp_path, [record(20), record(21)], packed=True)
    write_active(tmp_path, [record(30), record(31)])
    for number in (3, 11, 20, 31):
        found = find_record(tmp_path, record(number).id)
        assert found is not None
        assert found.characters == number
    assert find_record(tmp_path, record(40).id) is None


def test_a_decision_whose_clock_was_set_is_found(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(1), record(2, id=id_at(NOON - 86_400))])
    write_closed(tmp_path, [record(3, id="8a5b0c9d2f3e4a618a5b0c9d2f3e4a61")])
    found = find_record(tmp_path, id_at(NOON - 86_400))
    assert found is not None
    assert found.characters == 2
    assert time_of("8a5b0c9d2f3e4a618a5b0c9d2f3e4a61") is None
    found = find_record(tmp_path, "8a5b0c9d2f3e4a618a5b0c9d2f3e4a61")
    assert found is not None
    assert found.characters == 3


def test_an_id_in_another_field_is_not_the_decision(tmp_path: Path) -> None:
    wanted = record(5)
    write_active(tmp_path, [record(1, request_id=wanted.id), wanted])
    assert find_record(tmp_path, wanted.id) == wanted


def test_the_span_of_a_log(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(3), record(4)], packed=True)
    write_active(tmp_path, [record(9), record(6)], tail=b"{")
    assert span_of(tmp_path) == (NOON + 3, NOON + 9)
    (tmp_path / "predictions-7.jsonl").symlink_to("nowhere")
    assert span_of(tmp_path) == (NOON + 3, NOON + 9)


def test_a_file_that_is_closed_while_those_in_use_are_opened_is_read_once(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)])
    active = write_active(tmp_path, [record(1), record(2)])
    reader = read_records(tmp_path)
    assert next(reader).characters == 0
    # Between two of its steps: closed, compressed, and a new one in its place.
    closed = write_closed(tmp_path, [record(1), record(2)], packed=True)
    active.unlink()
    write_active(tmp_path, [record(3)])
    assert closed.exists()
    assert numbers(reader) == [1, 2, 3]


def test_what_is_put_together_while_it_is_read_is_read_once(tmp_path: Path) -> None:
    for number in range(0, 10, 2):
        write_closed(tmp_path, [record(number), record(number + 1)], packed=number == 4)
    reader = read_records(tmp_path)
    assert [next(reader).characters for _ in range(3)] == [0, 1, 2]
    assert len(list(compact(tmp_path, now=LATER, notes=Notes()))) == 1
    assert numbers(reader) == [3, 4, 5, 6, 7, 8, 9]


def test_a_file_that_is_deleted_by_its_age_while_others_are_read_is_passed_over(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)])
    old = write_closed(tmp_path, [record(1)])
    write_closed(tmp_path, [record(2)])
    notes = Notes()
    reader = read_records(tmp_path, notes=notes)
    assert next(reader).characters == 0
    old.unlink()
    assert numbers(reader) == [2]
    assert notes.faults == []


def test_a_folder_that_goes_while_it_is_read_ends_the_reading(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    write_closed(folder, [record(0)])
    write_closed(folder, [record(1)])
    reader = read_records(folder)
    assert next(reader).characters == 0
    shutil.rmtree(folder)
    assert numbers(reader) == []


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    import tracemalloc

    write_closed(tmp_path, [record(number) for number in range(8_000)], packed=True)
    peaks = []
    for until in (1_000, 8_000):
        tracemalloc.start()
        assert sum(1 for _ in read_records(tmp_path, until=NOON + until)) == until
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_a_folder_that_changes_all_the_time_is_listed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.telemetry.decisions import listing

    listed = []
    original = listing.files_in

    def changing(folder: Path):
        write_closed(folder, [record(len(listed))])
        listed.append(folder)
        return original(folder)

    monkeypatch.setattr(listing, "files_in", changing)
    assert len(listing.list_log(tmp_path)) == listing.LOOKS + 1
    assert reading.MISSES > 1


def test_a_file_that_is_closed_just_before_those_in_use_are_opened_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = write_active(tmp_path, [record(1)])
    original = reading._Reader._open_active

    def opening(self, stack):
        if active.read_bytes() == lines([record(1)]):
            active.rename(write_closed(tmp_path, [record(1)]))
            write_active(tmp_path, [record(2)])
        return original(self, stack)

    monkeypatch.setattr(reading._Reader, "_open_active", opening)
    assert read(tmp_path) == [1, 2]
