"""The names of the log's files say what they hold."""

from pathlib import Path

import pytest

from assay.telemetry.decisions.names import active_name, closed_name, names_in, uncompressed_in


def made(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("slot", [1, 2, 17])
@pytest.mark.parametrize("again", [0, 3])
def test_a_name_is_read_as_it_was_made(tmp_path: Path, slot: int, again: int) -> None:
    first, last = 1_760_344_862.72, 1_760_348_462.000001
    made(tmp_path, active_name(slot), closed_name(slot, first, last, again))
    active, closed = sorted(names_in(tmp_path), key=lambda name: not name.active)
    assert (active.slot, active.first, active.active) == (slot, None, True)
    assert (closed.slot, closed.first, closed.last, closed.kind) == (slot, first, last, "jsonl")
    assert active.may_hold(0, 1)
    assert closed.may_hold(last, last + 1)
    assert not closed.may_hold(last + 1, last + 2)
    assert not closed.may_hold(first - 1, first)


def test_a_file_that_was_being_compressed_is_named_once(tmp_path: Path) -> None:
    name = closed_name(1, 1.0, 2.0)
    made(tmp_path, name, f"{name}.gz")
    assert [each.path.name for each in names_in(tmp_path)] == [f"{name}.gz"]
    assert uncompressed_in(tmp_path) == [tmp_path / name]


def test_other_files_are_none_of_the_log_s(tmp_path: Path) -> None:
    stray = "predictions-1.20261399T101500123456Z-20261129T111500123456Z.jsonl"
    made(
        tmp_path, "decision.key", "predictions-1.lock", "predictions.jsonl.gz", ".predictions.x.draft", stray
    )
    made(tmp_path, "predictions.txt", "predictions-x.jsonl", "predictions.parquet")
    assert list(names_in(tmp_path)) == []
    assert uncompressed_in(tmp_path) == []


def test_no_folder_has_no_files(tmp_path: Path) -> None:
    assert list(names_in(tmp_path / "none")) == []
