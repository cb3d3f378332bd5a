"""Days put together as Parquet: whole, once, and by a process that may die at any step."""

import gzip
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from assay.exceptions import LogError
from assay.telemetry import Notes, Record, compact, read_records
from assay.telemetry.decisions import columns
from assay.telemetry.decisions.columns import ColumnFile, ColumnWriter
from assay.telemetry.decisions.lines import Found
from assay.telemetry.decisions.upkeep import upkeep
from tests.contracts.sources import ROOT
from tests.running import unmeasured
from tests.telemetry.decisions.test_lines import RECORDS
from tests.telemetry.decisions.written import NOON, numbers, record, write_active, write_closed

DAY = datetime(2026, 11, 17, 18, tzinfo=UTC)
LATER = DAY + timedelta(days=1)
DYING = """
import os, sys, pyarrow.compute, pyarrow.parquet
from datetime import datetime
from pathlib import Path

def steps(folder, last):
    seen = 0
    def hook(event, args):
        nonlocal seen
        writes = event == "open" and isinstance(args[1], str) and args[1] != "r" and "w" in args[1]
        if event in ("os.rename", "os.remove") or writes:
            seen += 1
            if seen == last:
                os._exit(9)
    return hook

from assay.telemetry import Notes, compact
for step, folder in enumerate(sys.argv[2:], start=1):
    child = os.fork()
    if not child:
        sys.addaudithook(steps(folder, step))
        list(compact(Path(folder), now=datetime.fromisoformat(sys.argv[1]), notes=Notes()))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
STEPS = 7


def names(folder: Path) -> list[str]:
    """Return the names of the log's files."""
    return sorted(path.name for path in folder.glob("predictions*"))


def put_together(folder: Path, now: datetime = LATER) -> tuple[list[int], Notes]:
    """Return how many files went into each day, and what was told."""
    notes = Notes()
    return [each.files for each in compact(folder, now=now, notes=notes)], notes


def test_closed_files_of_a_day_that_is_over_become_one(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0), record(2, text="naïve\x00 日本")])
    write_closed(tmp_path, [record(1, rule="r", score=None)], slot=2, packed=True)
    write_closed(tmp_path, [record(86_400)])
    write_active(tmp_path, [record(5)])
    before = {each.id: each for each in read_records(tmp_path)}
    assert put_together(tmp_path, DAY) == ([], Notes())
    assert put_together(tmp_path) == ([2], Notes())
    assert names(tmp_path) == [
        "predictions-1.20261118T120000000000Z-20261118T120000000000Z.jsonl",
        "predictions.20261117T120000000000Z-20261117T120002000000Z.parquet",
        "predictions.jsonl",
    ]
    assert {each.id: each for each in read_records(tmp_path)} == before
    assert put_together(tmp_path)[0] == []


def test_the_metadata_names_what_went_in(tmp_path: Path) -> None:
    paths = [write_closed(tmp_path, [record(number)]) for number in range(3)]
    put_together(tmp_path)
    [path] = tmp_path.glob("*.parquet")
    told = json.loads(pq.read_metadata(path).metadata[b"assay.sources"])
    assert told == [[each.name.removesuffix(".jsonl"), 1] for each in paths]
    assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"
    moments = pq.read_table(path).column("at").to_pylist()
    assert moments[1] == datetime.fromtimestamp(NOON + 1, UTC)


def test_a_file_of_a_day_that_comes_late_joins_it(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0), record(9)])
    put_together(tmp_path)
    write_closed(tmp_path, [record(3)])
    write_closed(tmp_path, [record(12)], packed=True)
    assert put_together(tmp_path)[0] == [3]
    assert names(tmp_path) == ["predictions.20261117T120000000000Z-20261117T120012000000Z.parquet"]
    assert numbers(read_records(tmp_path)) == [0, 9, 3, 12]
    write_closed(tmp_path, [record(4)])
    assert put_together(tmp_path)[0] == [2]
    assert len(names(tmp_path)) == 1
    assert sorted(numbers(read_records(tmp_path))) == [0, 3, 4, 9, 12]


def test_fields_of_a_newer_format_are_kept(tmp_path: Path) -> None:
    path = write_closed(tmp_path, [record(0)])
    path.write_bytes(path.read_bytes().replace(b'"task"', b'"mood":{"is":"blue"},"task"'))
    put_together(tmp_path)
    [path] = tmp_path.glob("*.parquet")
    with path.open("rb") as stream:
        file = ColumnFile(stream, path.name)
        assert [found.more for found in file.rows(file.sources[0])] == [{"mood": {"is": "blue"}}]


def test_lines_that_are_no_records_are_left_out_and_told(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)], tail=b"{}\n\n" + record(1).line()[:30])
    files, notes = put_together(tmp_path)
    assert (files, notes.torn) == ([1], 2)


def test_a_damaged_file_is_left_as_it_is_and_named(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)])
    bad = write_closed(tmp_path, [record(number) for number in range(1, 99)], packed=True)
    bad.write_bytes(bad.read_bytes()[:-20])
    folder = write_closed(tmp_path, [record(200)], packed=True)
    folder.unlink()
    folder.mkdir()
    files, notes = put_together(tmp_path)
    assert files == [1]
    assert [fault.partition(" could")[0] for fault in notes.faults] == [str(bad), str(folder)]
    assert bad.exists()
    assert numbers(read_records(tmp_path, until=NOON + 1)) == [0]
    assert put_together(tmp_path)[0] == []


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    path = write_closed(tmp_path, [record(0)])
    path.unlink()
    path.symlink_to("nowhere")
    files, notes = put_together(tmp_path)
    assert files == []
    assert len(notes.faults) == 1


def test_a_compressed_file_beside_itself_goes_in_once(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)])
    write_closed(tmp_path, [record(0)], packed=True)
    assert put_together(tmp_path)[0] == [2]
    assert numbers(read_records(tmp_path)) == [0]
    assert len(names(tmp_path)) == 1


def test_two_at_a_time_are_refused(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0)])
    with (
        upkeep(tmp_path),
        pytest.raises(LogError, match="Another process is compacting, erasing or compressing"),
        upkeep(tmp_path, wait=0.05),
    ):
        pass
    with pytest.raises(LogError, match="There is no decision log"):
        put_together(tmp_path / "nonesuch")


def test_a_process_that_dies_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    folders = [tmp_path / str(step) for step in range(STEPS)]
    write_closed(folders[0], [record(0), record(1)])
    put_together(folders[0])
    write_closed(folders[0], [record(2), record(3)], packed=True)
    write_closed(folders[0], [record(4)], slot=2)
    for folder in folders[1:]:
        shutil.copytree(folders[0], folder)
    command = [sys.executable, "-c", DYING, LATER.isoformat(), *map(str, folders)]
    # Coverage would write a file of its own, which counts as a step.
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=unmeasured())
    codes = list(map(int, done.stdout.split()))
    assert codes[0] == 9
    assert codes[-1] == 0
    assert codes == sorted(codes, reverse=True)
    assert codes.count(9) >= 4
    for folder in folders:
        assert sorted(numbers(read_records(folder))) == [0, 1, 2, 3, 4]
        put_together(folder)
        assert numbers(read_records(folder)) == [0, 1, 2, 3, 4]
        assert [path.suffix for path in folder.glob("predictions*")] == [".parquet"]
        assert not list(folder.glob("*draft"))


@settings(max_examples=20, deadline=None)
@given(written=RECORDS)
def test_a_record_is_read_from_parquet_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, written: Record
) -> None:
    path = tmp_path_factory.mktemp("columns") / "a.parquet"
    with path.open("wb") as stream, ColumnWriter(stream) as writer:
        writer.write(Found(written, {}))
        writer.end_source("a")
    with path.open("rb") as stream:
        file = ColumnFile(stream, "b")
        assert [source.name for source in file.sources] == ["a"]
        assert [found.record for found in file.rows(file.sources[0])] == [written]


def test_row_groups_are_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "GROUP_CHARACTERS", 100)
    path = tmp_path / "a.parquet"
    with path.open("wb") as stream, ColumnWriter(stream) as writer:
        for number in range(6):
            writer.write(Found(record(number, text="x" * 40), {}))
    assert [pq.read_metadata(path).row_group(at).num_rows for at in range(2)] == [3, 3]


def test_a_file_that_is_compressed_meanwhile_is_taken_by_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.telemetry.decisions import compacting

    path = write_closed(tmp_path, [record(0)])
    original, moved = compacting.list_log, []

    def listing(folder: Path):
        found = original(folder)
        if path.exists() and len(moved) == 2:
            # As the service does it, between the list and the opening.
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        moved.append(1)
        return found

    monkeypatch.setattr(compacting, "list_log", listing)
    assert put_together(tmp_path) == ([1], Notes())
    assert numbers(read_records(tmp_path)) == [0]
