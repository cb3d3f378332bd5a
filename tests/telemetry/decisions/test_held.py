"""A log is held still for a copy: whole lines, and files that workers close meanwhile."""

import threading
from pathlib import Path

import pytest

from assay.exceptions import LogError
from assay.telemetry import held_log
from assay.telemetry.decisions import held, upkeep
from assay.telemetry.decisions.names import active_name, closed_name

LINE = b'{"at":"2026-11-29T10:15:00.000000+00:00"}\n'


def test_where_there_is_no_log_nothing_is_held_and_nothing_made(tmp_path: Path) -> None:
    with held_log(tmp_path / "none") as files:
        assert files == []
    assert not (tmp_path / "none").exists()


def test_files_are_held_up_to_their_last_whole_line(tmp_path: Path) -> None:
    long = b"x" * held.TAIL_BYTES
    for slot, data in {1: LINE * 2 + b'{"at', 2: b"no line", 3: LINE + long + long, 4: b""}.items():
        (tmp_path / active_name(slot)).write_bytes(data)
    (tmp_path / closed_name(1, 0.0, 1.0)).write_bytes(LINE)
    with held_log(tmp_path) as files:
        sizes = {each.name: each.size for each in files}
        assert sizes == {
            closed_name(1, 0.0, 1.0): len(LINE),
            active_name(1): 2 * len(LINE),
            active_name(2): 0,
            active_name(3): len(LINE),
            active_name(4): 0,
        }


def test_a_file_that_is_closed_meanwhile_is_read_as_it_was(tmp_path: Path) -> None:
    active = tmp_path / active_name(1)
    active.write_bytes(LINE)
    with held_log(tmp_path) as [file]:
        active.rename(tmp_path / closed_name(1, 0.0, 1.0))
        active.write_bytes(b"another")
        assert file.path.read_bytes()[: file.size] == LINE


def test_a_file_that_goes_between_the_list_and_its_opening_is_listed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active, whole = tmp_path / active_name(1), held._held
    active.write_bytes(LINE)
    closing = iter([1])

    def rotate(*values: object) -> object:
        if next(closing, None):
            active.rename(tmp_path / closed_name(1, 0.0, 1.0))
        return whole(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(held, "_held", rotate)
    with held_log(tmp_path) as files:
        assert [each.name for each in files] == [closed_name(1, 0.0, 1.0)]


def test_a_log_that_never_rests_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / active_name(1)).write_bytes(LINE)
    monkeypatch.setattr(held, "_held", lambda *_: None)
    with pytest.raises(LogError, match="changed each time"), held_log(tmp_path):
        pass


def test_nobody_compacts_or_deletes_while_it_is_held(tmp_path: Path) -> None:
    (tmp_path / active_name(1)).write_bytes(LINE)
    refused = []

    def compact() -> None:
        try:
            with upkeep.upkeep(tmp_path, wait=0.0):
                pass
        except LogError as error:
            refused.append(error.message)

    with held_log(tmp_path):
        thread = threading.Thread(target=compact)
        thread.start()
        thread.join()
    assert len(refused) == 1
